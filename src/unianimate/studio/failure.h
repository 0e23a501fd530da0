// What an exception means to whoever runs the program.
#pragma once

#include <exception>
#include <string>

namespace unianimate::studio {

struct Failure {
  std::string message;  ///< one sentence
  int exit_status = 0;
};

/// Errors as they say themselves; memory that ran out in any library as ErrorKind::kEnvironment; all else with exit
/// status 1.
Failure describe_failure(const std::exception_ptr& problem);

}  // namespace unianimate::studio
