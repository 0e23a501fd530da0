// Whole numbers on the command line: decimal, whatever zeros they begin with.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "unianimate/core/error.h"

namespace unianimate::cli {

/// The whole text as a decimal number.
template <typename T>
std::optional<T> parse_integer(std::string_view text) {
  T number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && rest == end ? std::optional(number) : std::nullopt;
}

/// Adds an option N that is read into `value`, whose value so far is shown as the default. The command line throws
/// Error(kUsage) for anything but a whole number that fits.
template <typename T>
CLI::Option* add_integer_option(CLI::App& command, const std::string& name, T& value, const std::string& description) {
  const auto read = [&value, name](const std::string& text) {
    const auto number = parse_integer<T>(text);
    if (!number) {
      throw Error(ErrorKind::kUsage, "{} expects a whole number, found '{}'", name, printable(text));
    }
    value = *number;
  };
  return command.add_option_function<std::string>(name, read, description)
      ->default_str(std::to_string(value))
      ->type_name("N");
}

}  // namespace unianimate::cli
