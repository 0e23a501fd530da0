#include "unianimate/fields/field_texts.h"

#include <algorithm>

namespace unianimate::fields {

namespace {

constexpr const char* kNone = "none";

const FieldText* find(const std::vector<FieldText>& texts, const std::string& path) {
  const auto found = std::ranges::find(texts, path, &FieldText::path);
  return found == texts.end() ? nullptr : &*found;
}

}  // namespace

void TextWriter::take(const Field& field, const Value& value, bool* present) {
  texts_.push_back({path_.of(field.name), present == nullptr || *present ? value_text(value) : kNone});
}

bool TextWriter::enter(const Field& field, bool* present) {
  if (present != nullptr) texts_.push_back({path_.of(field.name), *present ? "there" : kNone});
  if (present != nullptr && !*present) return false;
  path_.enter(field);
  return true;
}

std::optional<std::size_t> TextWriter::begin_list(const Field& field, std::size_t size) {
  path_.enter_list(field);
  return size;
}

std::vector<Difference> differences(const std::vector<FieldText>& first, const std::vector<FieldText>& second) {
  std::vector<Difference> all;
  for (const FieldText& one : first) {
    const FieldText* const other = find(second, one.path);
    const std::string text = other != nullptr ? other->text : kNone;
    if (text != one.text) all.push_back({one.path, one.text, text});
  }
  for (const FieldText& other : second) {
    if (find(first, other.path) == nullptr) all.push_back({other.path, kNone, other.text});
  }
  return all;
}

}  // namespace unianimate::fields
