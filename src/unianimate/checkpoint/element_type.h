// Number formats of stored tensors, without ATen.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace unianimate::checkpoint {

/// In the order in which safetensors files hold their tensors: by falling alignment first.
enum class ElementType : std::uint8_t {
  kUInt64,
  kInt64,
  kFloat64,
  kFloat32,
  kUInt32,
  kInt32,
  kBFloat16,
  kFloat16,
  kUInt16,
  kInt16,
  kFloat8E4M3,
  kFloat8E5M2,
  kInt8,
  kUInt8,
  kBool,
};

/// Bytes of one element.
std::int64_t element_size(ElementType type) noexcept;
bool is_floating(ElementType type) noexcept;

/// The label safetensors files use, also shown to people: "F32", "BF16", "I64", ...
std::string_view label(ElementType type) noexcept;
std::optional<ElementType> element_type_from_label(std::string_view label) noexcept;

/// From a class of module `torch`: "FloatStorage" -> kFloat32.
std::optional<ElementType> element_type_from_storage_class(std::string_view name) noexcept;
/// From an attribute of module `torch`: "float32" -> kFloat32.
std::optional<ElementType> element_type_from_torch_dtype(std::string_view name) noexcept;

}  // namespace unianimate::checkpoint
