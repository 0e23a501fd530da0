// When the poses of a motion are, which shows before anybody is looked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/studio/align_request.h"

namespace unianimate::studio {

/// What can be known of a motion before anybody is looked for.
struct MotionTimes {
  std::int64_t frames = 0;       ///< of the motion, in its part
  std::int64_t poses = 0;        ///< that prepare_poses() makes of them
  double frames_per_second = 0;  ///< of the poses
  bool has_audio = false;        ///< as AlignResult has it
  std::vector<std::string> notes;
};

/// Reads the times of the motion's frames without decoding more than one of them, and writes nothing. Throws as
/// prepare_poses() does for what shows without decoding.
MotionTimes read_motion_times(const AlignRequest& request);

/// From the first frame on, at the speed asked for, at equal times.
pose::PoseSequence retimed(pose::PoseSequence sequence, const AlignRequest& request);

}  // namespace unianimate::studio
