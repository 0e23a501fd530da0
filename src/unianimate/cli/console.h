// Text for whoever runs the program.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <utility>

namespace unianimate::cli {

/// Writes to stdout or stderr at once. Where that fails, as with a pipe that nobody reads any more, the program is
/// asked to stop as by Ctrl-C.
void write_text(std::FILE* stream, std::string_view text) noexcept;

template <typename... Args>
void print(std::FILE* stream, fmt::format_string<Args...> format, Args&&... args) {
  write_text(stream, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace unianimate::cli
