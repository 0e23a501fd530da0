// Text for whoever runs the program.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace unianimate::cli {

/// Writes to stdout or stderr at once, past the streams' own buffers. What stderr does not take is lost without a word:
/// messages are no reason to end the work. What stdout does not take is remembered, see lost_output().
void write_text(std::FILE* stream, std::string_view text) noexcept;

template <typename... Args>
void print(std::FILE* stream, fmt::format_string<Args...> format, Args&&... args) {
  write_text(stream, fmt::format(format, std::forward<Args>(args)...));
}

/// For stdout, but no result: progress, which may be lost.
void print_passing(std::string_view text) noexcept;

/// errno of the first result that stdout did not take; 0 where none was lost.
int lost_output() noexcept;

}  // namespace unianimate::cli
