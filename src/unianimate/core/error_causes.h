// Errors that somebody may want to tell from others of their kind, as they pass or are mended in a way of their own.
#pragma once

#include <utility>

#include "unianimate/core/error.h"

namespace unianimate {

/// What such errors derive from.
template <ErrorKind kKind>
class ErrorOf : public Error {
 public:
  template <typename... Args>
  explicit ErrorOf(fmt::format_string<Args...> format, Args&&... args)
      : Error(kKind, format, std::forward<Args>(args)...) {}
};

/// There is no room for what is to be written: on the disk, in its user's share of it, or for a file of that size.
class DiskFull : public ErrorOf<ErrorKind::kEnvironment> {
 public:
  using ErrorOf::ErrorOf;
};

/// The machine, or a card, has less memory than the work takes.
class OutOfMemory : public ErrorOf<ErrorKind::kEnvironment> {
 public:
  using ErrorOf::ErrorOf;
};

/// A file is gone, or another one, since the work on it was begun or ordered.
class InputsChanged : public ErrorOf<ErrorKind::kInput> {
 public:
  using ErrorOf::ErrorOf;
};

}  // namespace unianimate
