// Rewriting of tensors' names by tables.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unianimate::naming {

/// The beginning of a name and what it becomes; each "#" stands for a number, in the same order in both.
struct NameRule {
  std::string_view from;
  std::string_view to;
};

/// Which rule fits the beginning of `name`, the numbers it found there, and what follows.
struct RuleMatch {
  const NameRule* rule = nullptr;
  std::vector<std::int64_t> numbers;
  std::string_view rest;

  /// `rule->to` with the numbers, then the rest.
  [[nodiscard]] std::string result() const;
};

/// The first rule that fits; empty where none does. Numbers have at most six digits and no leading zeros.
std::optional<RuleMatch> match_rule(std::span<const NameRule> rules, std::string_view name);

/// `name` as the first rule that fits makes it, else as it is.
std::string apply_rules(std::span<const NameRule> rules, std::string_view name);

}  // namespace unianimate::naming
