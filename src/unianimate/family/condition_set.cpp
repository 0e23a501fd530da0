#include "unianimate/family/condition_set.h"

#include <algorithm>
#include <array>

#include "unianimate/core/error.h"

namespace unianimate::family {

namespace {

constexpr std::array kAll{Condition::kImage, Condition::kLocalImage, Condition::kRandomRef, Condition::kDwpose};

Condition parse_condition(std::string_view name) {
  const auto* const found = std::ranges::find(kAll, name, condition_name);
  if (found != kAll.end()) return *found;
  throw Error(ErrorKind::kUsage,
              "conditions are a list of image, local_image, randomref, dwpose, or one of reference, first-frame; found "
              "'{}'",
              printable(name));
}

}  // namespace

std::string_view condition_name(Condition condition) {
  switch (condition) {
    case Condition::kImage:
      return "image";
    case Condition::kLocalImage:
      return "local_image";
    case Condition::kRandomRef:
      return "randomref";
    case Condition::kDwpose:
      return "dwpose";
  }
  return "";
}

ConditionSet::ConditionSet() : ConditionSet({Condition::kImage, Condition::kRandomRef, Condition::kDwpose}) {}

ConditionSet::ConditionSet(std::vector<Condition> conditions) : conditions_(std::move(conditions)) {
  if (conditions_.empty()) throw Error(ErrorKind::kUsage, "conditions must name at least one condition, found none");
  for (auto at = conditions_.begin(); at != conditions_.end(); ++at) {
    if (std::find(conditions_.begin(), at, *at) != at) {
      throw Error(ErrorKind::kUsage, "conditions name '{}' twice; name it once", condition_name(*at));
    }
  }
}

ConditionSet ConditionSet::parse(std::string_view text) {
  if (text == "reference") return {};
  if (text == "first-frame") return ConditionSet({Condition::kImage, Condition::kLocalImage, Condition::kDwpose});
  std::vector<Condition> conditions;
  while (true) {
    const std::size_t comma = text.find(',');
    conditions.push_back(parse_condition(text.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return ConditionSet(std::move(conditions));
}

bool ConditionSet::contains(Condition condition) const {
  return std::ranges::count(conditions_, condition) > 0;
}

std::string ConditionSet::names(std::string_view separator) const {
  std::string names;
  for (const Condition condition : conditions_) {
    if (!names.empty()) names += separator;
    names += condition_name(condition);
  }
  return names;
}

}  // namespace unianimate::family
