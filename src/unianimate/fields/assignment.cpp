#include "unianimate/fields/assignment.h"

#include <fmt/format.h>

#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::fields {

std::vector<Assignment> parse_assignments(std::string_view text) {
  std::vector<Assignment> assignments;
  for (std::size_t begin = text.find_first_not_of(' '); begin != std::string_view::npos;
       begin = text.find_first_not_of(' ', begin)) {
    const std::string_view word = text.substr(begin, text.find(' ', begin) - begin);
    const std::size_t sign = word.find('=');
    if (sign == 0 || sign == std::string_view::npos) {
      throw Error(ErrorKind::kUsage, "settings are written as in steps=12 reuse-every=2, found '{}'", printable(word));
    }
    assignments.push_back({std::string(word.substr(0, sign)), std::string(word.substr(sign + 1))});
    begin += word.size();
  }
  return assignments;
}

AssignmentReader::AssignmentReader(const std::vector<Assignment>& assignments, Filter filter)
    : filter_(std::move(filter)) {
  for (const Assignment& assignment : assignments) items_.push_back({assignment, {}});
}

void AssignmentReader::take(const Field& field, const Value& value, bool* present) {
  if (!filter_(field)) return;
  for (Item& item : items_) {
    if (item.assignment.field != field.name && "--" + item.assignment.field != field.option_name()) continue;
    item.option = field.option_name();
    if (present != nullptr) *present = field.none == nullptr || item.assignment.text != field.none;
    if (present != nullptr && !*present) continue;
    if (const auto expected = read_value_text(item.assignment.text, value, field.name)) {
      throw Error(ErrorKind::kUsage, "{} must be {}, found '{}'", field.name, *expected,
                  printable(item.assignment.text));
    }
    check_range(field, value, field.name);
  }
}

bool AssignmentReader::enter(const Field& field, bool* present) {
  const bool enters = present == nullptr || *present;
  if (!enters) off_.push_back(field.option_name());
  return enters;
}

std::optional<std::size_t> AssignmentReader::begin_list(const Field& /*field*/, std::size_t /*size*/) {
  return std::nullopt;
}

void AssignmentReader::enter_item(std::size_t /*index*/) {}

void AssignmentReader::require_all() const {
  for (const Item& item : items_) {
    if (!item.option.empty()) continue;
    const std::string may_be_off = off_.empty() ? "" : fmt::format(" unless {} is given", fmt::join(off_, " or "));
    throw Error(ErrorKind::kUsage, "there is no setting called '{}' here{}", printable(item.assignment.field),
                may_be_off);
  }
}

std::string AssignmentReader::options() const {
  std::string all;
  for (const Item& item : items_) {
    if (item.option.empty()) continue;
    all += fmt::format("{}{} {}", all.empty() ? "" : " ", item.option, item.assignment.text);
  }
  return all;
}

}  // namespace unianimate::fields
