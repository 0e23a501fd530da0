// What an exception means to whoever runs the program.
#pragma once

#include <exception>
#include <string>

namespace unianimate::studio {

/// What is behind it, where that is mended in a way of its own.
enum class FailureCause { kOther, kDiskFull, kOutOfMemory, kInputsChanged };

struct Failure {
  std::string message;  ///< one sentence
  int exit_status = 0;
  FailureCause cause = FailureCause::kOther;
};

/// Errors as they say themselves; memory that ran out in any library as ErrorKind::kEnvironment; all else with exit
/// status 1. A disk is full where the system says so as the reason of an error.
Failure describe_failure(const std::exception_ptr& problem);

}  // namespace unianimate::studio
