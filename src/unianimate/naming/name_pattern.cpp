#include "unianimate/naming/name_pattern.h"

#include <algorithm>
#include <charconv>

namespace unianimate::naming {

namespace {

constexpr char kNumber = '#';
constexpr std::size_t kMostDigits = 6;

/// Takes a number from the beginning of `text`.
std::optional<std::int64_t> take_number(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > kMostDigits || (digits > 1 && text.front() == '0')) return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + digits, number);
  text.remove_prefix(digits);
  return number;
}

std::optional<RuleMatch> match(const NameRule& rule, std::string_view name) {
  RuleMatch match{&rule, {}, name};
  for (const char expected : rule.from) {
    if (expected == kNumber) {
      const std::optional<std::int64_t> number = take_number(match.rest);
      if (!number) return std::nullopt;
      match.numbers.push_back(*number);
    } else {
      if (!match.rest.starts_with(expected)) return std::nullopt;
      match.rest.remove_prefix(1);
    }
  }
  return match;
}

}  // namespace

std::string RuleMatch::result() const {
  std::string text;
  auto number = numbers.begin();
  for (const char letter : rule->to) {
    if (letter == kNumber) {
      text += std::to_string(*number++);
    } else {
      text += letter;
    }
  }
  return text.append(rest);
}

std::optional<RuleMatch> match_rule(std::span<const NameRule> rules, std::string_view name) {
  for (const NameRule& rule : rules) {
    if (std::optional<RuleMatch> found = match(rule, name)) return found;
  }
  return std::nullopt;
}

std::string apply_rules(std::span<const NameRule> rules, std::string_view name) {
  const std::optional<RuleMatch> found = match_rule(rules, name);
  return found ? found->result() : std::string(name);
}

}  // namespace unianimate::naming
