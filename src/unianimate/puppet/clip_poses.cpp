#include "unianimate/puppet/clip_poses.h"

#include <cmath>

#include "unianimate/pose/draw/drawing.h"

namespace unianimate::puppet {

pose::AlignedPoses poses_of(const Clip& clip) {
  const ClipOptions& options = clip.options();
  pose::AlignedPoses poses;
  poses.report.method = "puppet";
  const double factor = static_cast<double>(pose::kCanvasWidth) / options.width;
  const auto on_canvas = [&](pose::Keypoints keypoints) {
    for (pose::Keypoint& point : keypoints) point.at = point.at * factor;
    return keypoints;
  };
  poses.reference = on_canvas(clip.reference_keypoints());
  poses.motion = {pose::kCanvasWidth,
                  static_cast<int>(std::lround(options.height * factor)),
                  options.frames_per_second,
                  "puppet",
                  {}};
  for (std::int64_t i = 0; i < options.frames; ++i) {
    const double seconds = static_cast<double>(i) / options.frames_per_second;
    poses.motion.frames.push_back({seconds, {{on_canvas(clip.keypoints(i))}}});
  }
  return poses;
}

}  // namespace unianimate::puppet
