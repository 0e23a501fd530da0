#include "unianimate/studio/align_request.h"

#include "unianimate/core/error.h"

namespace unianimate::studio {

void AlignRequest::check() const {
  constexpr double kFastest = 100;
  constexpr double kLongestGap = 60;
  if (!(start_seconds >= 0) || (end_seconds && !(*end_seconds > start_seconds))) {
    throw Error(ErrorKind::kUsage, "the part of the motion must begin at 0 seconds or later and end after that");
  }
  if (!(speed >= 1 / kFastest && speed <= kFastest)) {
    throw Error(ErrorKind::kUsage, "the speed must lie between {} and {}, but is {}", 1 / kFastest, kFastest, speed);
  }
  if (!(gap_seconds >= 0 && gap_seconds <= kLongestGap)) {
    throw Error(ErrorKind::kUsage, "the longest gap to interpolate must lie between 0 and {} seconds, but is {}",
                kLongestGap, gap_seconds);
  }
  constexpr double kSlowestRate = 0.1;
  constexpr double kFastestRate = 1000;
  for (const double rate : {frames_per_second.value_or(1), motion_frames_per_second.value_or(1)}) {
    if (rate >= kSlowestRate && rate <= kFastestRate) continue;
    throw Error(ErrorKind::kUsage, "frames a second must lie between {} and {}, but are {}", kSlowestRate, kFastestRate,
                rate);
  }
  if (threads < 0) throw Error(ErrorKind::kUsage, "the threads must be 0 (automatic) or more, but are {}", threads);
  alignment.check();
}

}  // namespace unianimate::studio
