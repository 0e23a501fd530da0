// Errors that somebody may want to tell from others of their kind, as they pass or are mended in a way of their own.
#pragma once

#include <utility>

#include "unianimate/core/error.h"

namespace unianimate {

/// The disk has no room for what is to be written.
class DiskFull : public Error {
 public:
  template <typename... Args>
  explicit DiskFull(fmt::format_string<Args...> format, Args&&... args)
      : Error(ErrorKind::kEnvironment, format, std::forward<Args>(args)...) {}
};

/// The machine, or a card, has less memory than the work takes.
class OutOfMemory : public Error {
 public:
  template <typename... Args>
  explicit OutOfMemory(fmt::format_string<Args...> format, Args&&... args)
      : Error(ErrorKind::kEnvironment, format, std::forward<Args>(args)...) {}
};

/// A file is gone, or another one, since the work on it was begun or ordered.
class InputsChanged : public Error {
 public:
  template <typename... Args>
  explicit InputsChanged(fmt::format_string<Args...> format, Args&&... args)
      : Error(ErrorKind::kInput, format, std::forward<Args>(args)...) {}
};

}  // namespace unianimate
