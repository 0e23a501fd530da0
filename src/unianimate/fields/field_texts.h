// All fields of a struct as texts: for tables of settings, and to say in which two differ.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unianimate/fields/archive.h"
#include "unianimate/fields/field_path.h"

namespace unianimate::fields {

struct FieldText {
  std::string path;  ///< "chain.segment_size"
  std::string text;  ///< exact; "none" where there is no value
  bool operator==(const FieldText&) const = default;
};

class TextWriter final : public Archive {
 public:
  [[nodiscard]] const std::vector<FieldText>& texts() const { return texts_; }

 private:
  void take(const Field& field, const Value& value, bool* present) override;
  bool enter(const Field& field, bool* present) override;
  void leave() override { path_.leave(); }
  std::optional<std::size_t> begin_list(const Field& field, std::size_t size) override;
  void enter_item(std::size_t index) override { path_.enter_item(index); }
  void end_list() override { path_.leave(); }

  FieldPath path_;
  std::vector<FieldText> texts_;
};

template <Listed T>
std::vector<FieldText> field_texts(const T& settings) {
  T copy = settings;
  TextWriter writer;
  visit(writer, copy);
  return writer.texts();
}

struct Difference {
  std::string path;
  std::string first;
  std::string second;
};

std::vector<Difference> differences(const std::vector<FieldText>& first, const std::vector<FieldText>& second);

/// The fields in which they differ, in the order of the visit. What only one of them has is "none" in the other.
template <Listed T>
std::vector<Difference> differences(const T& first, const T& second) {
  return differences(field_texts(first), field_texts(second));
}

}  // namespace unianimate::fields
