// Parts of what stands in one option: "reference,first-frame", "900000-900031".
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace unianimate::cli {

/// The parts of `text` between the separators, at least one.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// The whole text as a decimal number.
template <typename T>
std::optional<T> parse_integer(std::string_view text) {
  T number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace unianimate::cli
