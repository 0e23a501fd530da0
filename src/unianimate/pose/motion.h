// Inside pose: the motion of a request, as people and their times.
#pragma once

#include <memory>

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/pose/align.h"
#include "unianimate/pose/detect/people_search.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

struct Motion {
  PoseSequence everyone;
  FrameSourceInfo source;  ///< empty where the motion is numbers
  bool from_cache = false;
  double detection_seconds = 0;
};

/// Null where the motion is no pictures but numbers. `draft`: for a look. Throws as open_frame_source().
std::unique_ptr<FrameSource> open_motion(const AlignRequest& request, bool draft);

/// At least one frame, at the rate of the frames' own times. `source`: of open_motion(), or null. Throws as
/// find_people() and import_poses(), Error(kInput) where there is no frame.
Motion find_motion(const AlignRequest& request, std::unique_ptr<FrameSource> source, LazyDetector& detector,
                   Progress& progress);

/// From the first frame on, at the speed asked for, at equal times.
PoseSequence retimed(PoseSequence sequence, const AlignRequest& request);

}  // namespace unianimate::pose
