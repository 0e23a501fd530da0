// Poses of whole videos, by networks.
#pragma once

#include <memory>

#include "unianimate/core/progress.h"
#include "unianimate/pose/align/pose_source.h"
#include "unianimate/pose/detect/detector.h"

namespace unianimate::pose {

/// Finds people as find_people() does, in whole videos, with networks that are loaded when they are first needed.
std::unique_ptr<PoseSource> detected_poses(const DetectorOptions& options, Progress& progress);

}  // namespace unianimate::pose
