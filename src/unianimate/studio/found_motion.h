// Everyone in the motion of a request, found in its pictures or read from its numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/pose/detect/people_search.h"
#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/studio/align_request.h"

namespace unianimate::studio {

struct Motion {
  pose::PoseSequence everyone;
  FrameSourceInfo source;  ///< empty where the motion is numbers
  bool from_cache = false;
  double detection_seconds = 0;
};

/// At least one frame, at the rate of the frames' own times. `source`: of open_motion(), or null. Throws as
/// pose::find_people() and pose::import_poses(), Error(kInput) where there is no frame.
Motion find_motion(const AlignRequest& request, std::unique_ptr<FrameSource> source, pose::LazyDetector& detector,
                   Progress& progress);

/// A motion of numbers. Throws likewise.
pose::PoseSequence import_motion(const AlignRequest& request);

/// What was assumed of the source, and what was given in vain: a sentence each.
std::vector<std::string> notes_on(const AlignRequest& request, const FrameSourceInfo& info);

/// Throws Error(kInput) where there is none.
void require_frames(const pose::PoseSequence& sequence, const AlignRequest& request);

}  // namespace unianimate::studio
