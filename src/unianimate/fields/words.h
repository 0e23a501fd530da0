// The names of an enumeration's values: one table for each, from which everything that reads or writes them follows.
#pragma once

#include <algorithm>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "unianimate/core/error.h"

namespace unianimate::fields {

template <typename Enum>
struct Word {
  Enum value;
  std::string_view name;
};

/// Beside such an enumeration stands `constexpr auto words(Enum)`, which gives an array of Word<Enum> with all values.
template <typename T>
concept HasWords = std::is_enum_v<T> && requires(T value) {
  words(value);
};

/// "leading or trailing", "published, even or moving"
std::string one_of(std::span<const std::string_view> names);

template <HasWords Enum>
std::vector<std::string_view> word_list() {
  std::vector<std::string_view> names;
  for (const auto& word : words(Enum{})) names.push_back(word.name);
  return names;
}

template <HasWords Enum>
constexpr std::string_view word(Enum value) {
  for (const auto& word : words(value)) {
    if (word.value == value) return word.name;
  }
  return "";
}

template <HasWords Enum>
std::optional<Enum> find_word(std::string_view name) {
  for (const auto& word : words(Enum{})) {
    if (word.name == name) return word.value;
  }
  return std::nullopt;
}

/// Throws Error(kUsage) that says what `what` can be.
template <HasWords Enum>
Enum parse_word(std::string_view what, std::string_view name) {
  if (const auto value = find_word<Enum>(name)) return *value;
  throw Error(ErrorKind::kUsage, "{} must be {}, found '{}'", what, one_of(word_list<Enum>()), printable(name));
}

}  // namespace unianimate::fields
