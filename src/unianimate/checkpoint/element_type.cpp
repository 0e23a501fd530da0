#include "unianimate/checkpoint/element_type.h"

#include <algorithm>
#include <array>

namespace unianimate::checkpoint {

namespace {

struct Row {
  ElementType type;
  std::int64_t size;
  bool floating;
  std::string_view label;
  std::string_view storage_class;  // empty where PyTorch has none and uses an untyped storage
  std::string_view torch_dtype;
};

constexpr std::array<Row, 15> kRows{{
    {ElementType::kFloat64, 8, true, "F64", "DoubleStorage", "float64"},
    {ElementType::kInt64, 8, false, "I64", "LongStorage", "int64"},
    {ElementType::kUInt64, 8, false, "U64", "", "uint64"},
    {ElementType::kFloat32, 4, true, "F32", "FloatStorage", "float32"},
    {ElementType::kInt32, 4, false, "I32", "IntStorage", "int32"},
    {ElementType::kUInt32, 4, false, "U32", "", "uint32"},
    {ElementType::kBFloat16, 2, true, "BF16", "BFloat16Storage", "bfloat16"},
    {ElementType::kFloat16, 2, true, "F16", "HalfStorage", "float16"},
    {ElementType::kInt16, 2, false, "I16", "ShortStorage", "int16"},
    {ElementType::kUInt16, 2, false, "U16", "", "uint16"},
    {ElementType::kFloat8E5M2, 1, true, "F8_E5M2", "", "float8_e5m2"},
    {ElementType::kFloat8E4M3, 1, true, "F8_E4M3", "", "float8_e4m3fn"},
    {ElementType::kInt8, 1, false, "I8", "CharStorage", "int8"},
    {ElementType::kUInt8, 1, false, "U8", "ByteStorage", "uint8"},
    {ElementType::kBool, 1, false, "BOOL", "BoolStorage", "bool"},
}};

const Row& row_of(ElementType type) noexcept {
  return *std::ranges::find(kRows, type, &Row::type);
}

std::optional<ElementType> find_by(std::string_view Row::*column, std::string_view text) noexcept {
  const auto* const found = std::ranges::find(kRows, text, column);
  return found == kRows.end() || text.empty() ? std::nullopt : std::optional(found->type);
}

}  // namespace

std::int64_t element_size(ElementType type) noexcept {
  return row_of(type).size;
}

bool is_floating(ElementType type) noexcept {
  return row_of(type).floating;
}

std::string_view label(ElementType type) noexcept {
  return row_of(type).label;
}

std::optional<ElementType> element_type_from_label(std::string_view text) noexcept {
  return find_by(&Row::label, text);
}

std::optional<ElementType> element_type_from_storage_class(std::string_view name) noexcept {
  return find_by(&Row::storage_class, name);
}

std::optional<ElementType> element_type_from_torch_dtype(std::string_view name) noexcept {
  return find_by(&Row::torch_dtype, name);
}

}  // namespace unianimate::checkpoint
