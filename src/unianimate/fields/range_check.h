// Whether the numbers of a struct of settings lie in their ranges.
#pragma once

#include <string>
#include <utility>

#include "unianimate/fields/archive.h"
#include "unianimate/fields/field_path.h"

namespace unianimate::fields {

/// Throws an error of this kind for a number of `field` out of its range; `name` is what the message calls it.
void check_range(const Field& field, const Value& value, const std::string& name, ErrorKind kind = ErrorKind::kUsage);

class RangeCheck final : public Archive {
 public:
  explicit RangeCheck(std::string prefix) : path_(std::move(prefix)) {}

 private:
  void take(const Field& field, const Value& value, bool* present) override;
  bool enter(const Field& field, bool* present) override;
  void leave() override { path_.leave(); }
  std::optional<std::size_t> begin_list(const Field& field, std::size_t size) override;
  void enter_item(std::size_t index) override { path_.enter_item(index); }
  void end_list() override { path_.leave(); }

  FieldPath path_;
};

/// Throws Error(kUsage) that names the field, what was expected and what was given. `prefix` stands before the names of
/// the fields, as in "optimizer.".
template <Listed T>
void check_ranges(const T& settings, std::string prefix = {}) {
  T copy = settings;
  RangeCheck check(std::move(prefix));
  visit(check, copy);
}

}  // namespace unianimate::fields
