#include "unianimate/pose/align/alignment.h"

#include <algorithm>
#include <cmath>

#include "unianimate/core/error.h"
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
  AlignedPoses result{motion, from_published(goal, options.canvas_width, options.canvas_height), {}};
  result.report = align_published(poses, goal);
  result.report.scale_x *= static_cast<double>(options.canvas_width) / motion.width;
  result.report.scale_y *= static_cast<double>(options.canvas_height) / motion.height;
  auto pose = poses.begin();
  for (PoseFrame& frame : result.motion.frames) {
    if (frame.people.empty()) continue;
    frame.people.front().keypoints = from_published(*pose++, options.canvas_width, options.canvas_height);
  }
  return result;
}

AlignedPoses align_robustly(const PoseSequence& motion, const ReferencePose& reference,
                            const AlignmentOptions& options) {
  AlignedPoses result = align_robust(motion, reference, options);
  const double factor_x = static_cast<double>(options.canvas_width) / reference.width;
  const double factor_y = static_cast<double>(options.canvas_height) / reference.height;
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

AlignmentMethod parse_alignment_method(std::string_view text) {
  if (text == "robust") return AlignmentMethod::kRobust;
  if (text == "published") return AlignmentMethod::kPublished;
  throw Error(ErrorKind::kUsage, "the alignment is robust or published, found '{}'", printable(text));
}

void AlignmentOptions::check() const {
  constexpr int kLeastSide = 16;
  constexpr int kMostSide = 8192;
  constexpr double kMostStretch = 10;
  if (!(strength >= 0 && strength <= 1)) {
    throw Error(ErrorKind::kUsage, "the alignment's strength must lie between 0 and 1, but is {}", strength);
  }
  if (!(max_stretch >= 1 && max_stretch <= kMostStretch)) {
    throw Error(ErrorKind::kUsage, "the largest stretch of a bone must lie between 1 and {}, but is {}", kMostStretch,
                max_stretch);
  }
  const auto [least, most] = std::minmax(canvas_width, canvas_height);
  if (least < kLeastSide || most > kMostSide) {
    throw Error(ErrorKind::kUsage, "the sides of a pose picture must lie between {} and {} pixels, but are {}x{}",
                kLeastSide, kMostSide, canvas_width, canvas_height);
  }
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
  result.motion.width = options.canvas_width;
  result.motion.height = options.canvas_height;
  drop_unusable(result.reference, options.canvas_width, options.canvas_height);
  for (PoseFrame& frame : result.motion.frames) {
    for (Person& person : frame.people) {
      drop_unusable(person.keypoints, options.canvas_width, options.canvas_height);
    }
  }
  return result;
}

}  // namespace unianimate::pose
