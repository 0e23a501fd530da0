// Inside pose: the embedded detector, MediaPipe's networks.
#pragma once

#include <filesystem>
#include <memory>

#include "unianimate/pose/detect/detector.h"

namespace unianimate::pose {

/// `folder` holds MediaPipe's modules (pose_detection, pose_landmark, hand_landmark, face_landmark). A finder follows
/// people from frame to frame by their landmarks and looks at the whole picture again now and then, and when it loses
/// somebody. Throws Error(kInput) naming a network that is missing or is another.
std::unique_ptr<PoseDetector> load_blazepose(const std::filesystem::path& folder, int threads);

}  // namespace unianimate::pose
