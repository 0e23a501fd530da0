// Everyone in a motion, without a reference.
#pragma once

#include "unianimate/core/progress.h"
#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/studio/align_request.h"

namespace unianimate::studio {

/// Writes poses.json (kind "detected") and preview.mp4, in which people have their numbers, into the folder
/// request.output. Uses of the request what concerns the motion. Phases: "load pose models", "find people", "preview".
/// Throws as prepare_poses() does.
pose::PoseSequence detect_poses(const AlignRequest& request, Progress& progress);

}  // namespace unianimate::studio
