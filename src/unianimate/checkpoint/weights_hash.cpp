#include "unianimate/checkpoint/weights_hash.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string_view>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/content_hash.h"

namespace unianimate::checkpoint {

std::string weights_hash(const Checkpoint& checkpoint) {
  const auto known = checkpoint.metadata().find(kWeightsHashField);
  if (known != checkpoint.metadata().end()) return known->second;
  std::map<std::string, std::string> lines;
  for (const std::size_t i : checkpoint.file_order()) {
    const TensorEntry& entry = checkpoint.tensors()[i];
    at::Tensor values = materialize(checkpoint, entry);
    if (is_floating(entry.type)) values = values.to(at::kBFloat16);
    values = values.contiguous();
    const std::string_view bytes(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
    lines[entry.name] = fmt::format("{} [{}] {}\n", entry.name, fmt::join(entry.shape, ", "), content_hash_of(bytes));
  }
  std::string text;
  for (const auto& [name, line] : lines) text += line;
  return content_hash_of(text);
}

}  // namespace unianimate::checkpoint
