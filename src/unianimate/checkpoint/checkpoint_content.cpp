#include "unianimate/checkpoint/checkpoint_content.h"

#include <algorithm>

namespace unianimate::checkpoint {

namespace {

constexpr std::size_t kMaxDimensions = 16;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 56;

}  // namespace

std::string_view label(Container container) noexcept {
  switch (container) {
    case Container::kTorchZip:
      return "PyTorch zip";
    case Container::kTorchLegacy:
      return "PyTorch legacy pickle";
    case Container::kSafetensors:
      return "safetensors";
  }
  return "unknown";
}

std::int64_t TensorEntry::elements() const noexcept {
  return count_elements(shape).value_or(0);
}

std::optional<std::int64_t> count_elements(const Shape& shape) noexcept {
  if (shape.size() > kMaxDimensions) return std::nullopt;
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t length : shape) {
    if (length < 0) return std::nullopt;
    if (length == 0) empty = true;
    const std::int64_t factor = std::max<std::int64_t>(length, 1);
    if (product > kMaxElements / factor) return std::nullopt;
    product *= factor;
  }
  return empty ? 0 : product;
}

Shape dense_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i > 0; --i) {
    strides[i - 1] = stride;
    stride *= std::max<std::int64_t>(shape[i - 1], 1);
  }
  return strides;
}

bool fits_storage(const TensorEntry& entry, std::int64_t storage_elements) noexcept {
  const std::optional<std::int64_t> elements = count_elements(entry.shape);
  if (!elements || *elements > storage_elements || entry.strides.size() != entry.shape.size()) return false;
  if (entry.storage_offset < 0 || entry.storage_offset > storage_elements) return false;
  std::int64_t room = storage_elements - entry.storage_offset;
  if (*elements > 0) --room;
  for (std::size_t i = 0; i < entry.shape.size(); ++i) {
    const std::int64_t stride = entry.strides[i];
    if (stride < 0 || stride > kMaxElements) return false;
    if (*elements == 0 || entry.shape[i] == 1 || stride == 0) continue;
    const std::int64_t steps = entry.shape[i] - 1;
    if (stride > room / steps) return false;
    room -= stride * steps;
  }
  return room >= 0;
}

}  // namespace unianimate::checkpoint
