#include "unianimate/fields/field.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace unianimate::fields {

namespace {

bool is_closed(const Range& range) {
  return std::isfinite(range.lowest) && std::isfinite(range.highest) && !range.without_lowest && !range.without_highest;
}

std::string with_unit(const Range& range, std::string text) {
  return range.unit.empty() ? text : fmt::format("{} {}", text, range.unit);
}

}  // namespace

std::string Range::text() const {
  if (is_closed(*this)) return with_unit(*this, fmt::format("between {} and {}", lowest, highest));
  return short_text();
}

std::string Range::short_text() const {
  if (is_closed(*this)) return with_unit(*this, fmt::format("{} to {}", lowest, highest));
  std::string text;
  if (std::isfinite(lowest)) text = fmt::format("{} {}", without_lowest ? "above" : "at least", lowest);
  if (std::isfinite(highest)) {
    text += fmt::format("{}{} {}", text.empty() ? "" : " and ", without_highest ? "below" : "at most", highest);
  }
  return with_unit(*this, text);
}

std::string Field::option_names() const {
  if (option != nullptr) return option;
  std::string names = fmt::format("--{}", name);
  std::ranges::replace(names, '_', '-');
  return names;
}

std::string Field::option_name() const {
  const std::string names = option_names();
  return names.substr(0, names.find(','));
}

namespace {

/// The names outlive the filter nowhere that it is used otherwise, so it keeps its own.
std::set<std::string, std::less<>> owned(std::initializer_list<std::string_view> names) {
  return {names.begin(), names.end()};
}

}  // namespace

Filter all_fields() {
  return [](const Field& /*field*/) { return true; };
}

Filter only(std::initializer_list<std::string_view> names) {
  return [names = owned(names)](const Field& field) { return names.contains(std::string_view(field.name)); };
}

Filter all_but(std::initializer_list<std::string_view> names) {
  return [names = owned(names)](const Field& field) { return !names.contains(std::string_view(field.name)); };
}

Filter fields_of_models() {
  return [](const Field& field) { return field.by_model; };
}

}  // namespace unianimate::fields
