// The one exception type: what went wrong, said so that a person can mend it.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace unianimate {

/// Whose turn it is to act, and so the exit status of the command line (in brackets).
enum class ErrorKind {
  kUsage,        ///< [2] an option, a configuration value or a request that cannot be carried out as given
  kInput,        ///< [3] a file's content: corrupt, hostile, of the wrong kind, or not what the model needs
  kEnvironment,  ///< [4] the machine: no disk space, no permission, too little memory, no such device
  kCancelled,    ///< [130] the caller asked to stop
};

/// Message convention: one sentence saying what, where, what was expected, what was found and what to do.
/// Thrown by every module; caught in cli and server only.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  template <typename... Args>
  Error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args)
      : Error(kind, fmt::format(format, std::forward<Args>(args)...)) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

/// The exit status of the command line for an error of this kind.
int exit_status(ErrorKind kind) noexcept;

/// Text from a file or another program made safe to print: control characters and invalid UTF-8 as \xNN, cut to
/// `max_length` bytes with "…".
std::string printable(std::string_view text, std::size_t max_length = 200);

}  // namespace unianimate
