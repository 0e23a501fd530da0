// Several numbers in one option: "1,2,5".
#pragma once

#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

#include "unianimate/core/error.h"

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

/// Decimal numbers separated by commas. Throws Error(kUsage) naming the option for anything else.
template <typename T>
std::vector<T> parse_numbers(std::string_view option, std::string_view text) {
  std::vector<T> numbers;
  for (const std::string_view part : split(text, ',')) {
    T number = 0;
    const auto [rest, problem] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (problem != std::errc{} || rest != part.data() + part.size() || !std::isfinite(static_cast<double>(number))) {
      throw Error(ErrorKind::kUsage, "{} expects a number, or several separated by commas, found '{}'", option,
                  printable(text));
    }
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace unianimate::cli
