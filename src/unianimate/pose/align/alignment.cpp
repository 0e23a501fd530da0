#include "unianimate/pose/align/alignment.h"

#include <algorithm>
#include <cmath>

#include "unianimate/core/error.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/pose/align/alignment_fields.h"
#include "unianimate/pose/align/published_alignment.h"
#include "unianimate/pose/align/robust_alignment.h"

namespace unianimate::pose {

namespace {

/// From pixels of one picture to those of another that shows the same, stretched.
Keypoints rescaled(Keypoints keypoints, double factor_x, double factor_y) {
  for (Keypoint& point : keypoints) point.at = {point.at.x * factor_x, point.at.y * factor_y};
  return keypoints;
}

AlignedPoses align_as_published(const PoseSequence& motion, const ReferencePose& reference,
                                const AlignmentOptions& options) {
  const PublishedPose goal = to_published(reference.keypoints, reference.width, reference.height);
  std::vector<PublishedPose> poses;
  for (const PoseFrame& frame : motion.frames) {
    if (!frame.people.empty()) {
      poses.push_back(to_published(frame.people.front().keypoints, motion.width, motion.height));
    }
  }
  AlignedPoses result{motion, from_published(goal, options.canvas.width, options.canvas.height), {}};
  result.report = align_published(poses, goal);
  result.report.scale_x *= static_cast<double>(options.canvas.width) / motion.width;
  result.report.scale_y *= static_cast<double>(options.canvas.height) / motion.height;
  auto pose = poses.begin();
  for (PoseFrame& frame : result.motion.frames) {
    if (frame.people.empty()) continue;
    frame.people.front().keypoints = from_published(*pose++, options.canvas.width, options.canvas.height);
  }
  return result;
}

AlignedPoses align_robustly(const PoseSequence& motion, const ReferencePose& reference,
                            const AlignmentOptions& options) {
  AlignedPoses result = align_robust(motion, reference, options);
  const double factor_x = static_cast<double>(options.canvas.width) / reference.width;
  const double factor_y = static_cast<double>(options.canvas.height) / reference.height;
  result.reference = rescaled(result.reference, factor_x, factor_y);
  result.report.scale_x *= factor_x;
  result.report.scale_y *= factor_y;
  for (PoseFrame& frame : result.motion.frames) {
    for (Person& person : frame.people) person.keypoints = rescaled(person.keypoints, factor_x, factor_y);
  }
  return result;
}

/// What is unseen or out of all reach stays out of files and pictures.
void drop_unusable(Keypoints& keypoints, int width, int height) {
  constexpr double kReach = 100;
  for (Keypoint& point : keypoints) {
    const bool usable = std::abs(point.at.x) <= kReach * width && std::abs(point.at.y) <= kReach * height;
    if (!usable) point = {};
    if (!point.seen()) point.score = 0;
  }
}

}  // namespace

void AlignmentOptions::check() const {
  fields::check_ranges(*this);
  fields::check_ranges(canvas);
}

AlignedPoses align_poses(const PoseSequence& motion, const ReferencePose& reference, const AlignmentOptions& options) {
  options.check();
  const auto has_person = [](const PoseFrame& frame) { return !frame.people.empty(); };
  if (std::ranges::none_of(motion.frames, has_person)) {
    throw Error(ErrorKind::kInput, "there is nobody in any of the motion's {} frames; give another motion",
                motion.frames.size());
  }
  AlignedPoses result = options.method == AlignmentMethod::kPublished ? align_as_published(motion, reference, options)
                                                                      : align_robustly(motion, reference, options);
  result.motion.width = options.canvas.width;
  result.motion.height = options.canvas.height;
  drop_unusable(result.reference, options.canvas.width, options.canvas.height);
  for (PoseFrame& frame : result.motion.frames) {
    for (Person& person : frame.people) {
      drop_unusable(person.keypoints, options.canvas.width, options.canvas.height);
    }
  }
  return result;
}

}  // namespace unianimate::pose
