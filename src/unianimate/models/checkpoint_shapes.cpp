#include "unianimate/models/checkpoint_shapes.h"

#include "unianimate/core/error.h"

namespace unianimate::models {

std::int64_t size_of(const Shapes& shapes, std::string_view model, std::string_view name, std::size_t axis) {
  const auto found = shapes.find(name);
  if (found == shapes.end()) {
    throw Error(ErrorKind::kInput, "this is not a checkpoint of the {}: it has no tensor '{}'", model, name);
  }
  if (found->second.size() <= axis) {
    throw Error(ErrorKind::kInput, "this is not a checkpoint of the {}: '{}' has {} axes, expected at least {}", model,
                name, found->second.size(), axis + 1);
  }
  return require_positive(found->second[axis], model, name);
}

std::int64_t count_blocks(const Shapes& shapes, std::string_view prefix) {
  std::int64_t count = 0;
  while (true) {
    const std::string start = fmt::format("{}{}.", prefix, count);
    const auto at = shapes.lower_bound(start);
    if (at == shapes.end() || !at->first.starts_with(start)) return count;
    ++count;
  }
}

std::int64_t require_positive(std::int64_t value, std::string_view model, std::string_view what) {
  if (value < 1)
    throw Error(ErrorKind::kInput, "this is not a usable checkpoint of the {}: {} is {}", model, what, value);
  return value;
}

}  // namespace unianimate::models
