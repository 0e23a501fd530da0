// Why a job is not done, and what to do about it.
#pragma once

#include <string>
#include <string_view>

namespace unianimate::queue {

enum class JobProblem {
  kInvalidRequest,  ///< what is asked for cannot be
  kInput,           ///< a file is damaged or not what is needed
  kInputsChanged,   ///< a file is gone, or another one, since the job was made
  kDiskFull,
  kOutOfMemory,
  kEnvironment,  ///< the machine cannot do it for another reason
  kWorkerLost,   ///< its workers ended without a word
  kCancelled,
};

/// "disk-full": the type of JobRow::problem.
std::string_view word(JobProblem problem);

/// JobRow::problem: {"type", "detail"}, where what to do follows `what`.
std::string problem_text(JobProblem problem, std::string_view what);

}  // namespace unianimate::queue
