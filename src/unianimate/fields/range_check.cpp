#include "unianimate/fields/range_check.h"

#include "unianimate/core/error.h"

namespace unianimate::fields {

namespace {

struct Check {
  const Field& field;
  const std::string& name;
  ErrorKind kind;

  template <typename Number>
  void number(const std::string& which, Number value) const {
    if (field.range.contains(static_cast<double>(value))) return;
    throw Error(kind, "{} must be {}, found {}", which, field.range.text(), value);
  }

  void operator()(const int* value) const { number(name, *value); }
  void operator()(const std::int64_t* value) const { number(name, *value); }
  void operator()(const std::uint64_t* value) const { number(name, *value); }
  void operator()(const double* value) const { number(name, *value); }
  void operator()(const SizeValue& size) const {
    number(name + ": the width", *size.width);
    number(name + ": the height", *size.height);
  }
  void operator()(const std::vector<std::int64_t>* values) const {
    for (const std::int64_t value : *values) number(name + ": every number", value);
  }
  template <typename Other>
  void operator()(const Other* /*value*/) const {}
};

}  // namespace

void check_range(const Field& field, const Value& value, const std::string& name, ErrorKind kind) {
  std::visit(Check{field, name, kind}, value);
}

void RangeCheck::take(const Field& field, const Value& value, bool* present) {
  if (present == nullptr || *present) check_range(field, value, path_.of(field.name));
}

bool RangeCheck::enter(const Field& field, bool* present) {
  if (present != nullptr && !*present) return false;
  path_.enter(field);
  return true;
}

std::optional<std::size_t> RangeCheck::begin_list(const Field& field, std::size_t size) {
  path_.enter_list(field);
  return size;
}

}  // namespace unianimate::fields
