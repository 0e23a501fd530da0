// The published tool's alignment of a motion to a reference person, weaknesses included.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "unianimate/pose/format/keypoints.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// One person as the published tool holds it: x and y as shares of the picture's width and height; an unseen point is
/// (−1, −1) at first, and then scaled and moved like any other.
struct PublishedPose {
  static constexpr std::size_t kBody = kDrawnPoints;

  std::array<Point, kBody> body{};
  std::array<bool, kBody> seen{};
  std::array<Point, kFacePoints> face{};
  std::array<std::array<Point, kHandPoints>, 2> hands{};  ///< left, right
};

PublishedPose to_published(const Keypoints& keypoints, int width, int height);
/// Points in pixels of a width × height canvas; heels and the ends of the toes are lost: both toes become their middle.
Keypoints from_published(const PublishedPose& pose, int width, int height);

/// Scales, stretches and moves the poses so that their bones have the reference's lengths and the first pose's neck
/// meets the reference's. All ratios come from the first pose. A ratio that is no number, because a bone has no length
/// there, is replaced by 1 and noted; the published tool then stops or draws nonsense. Ratios that are measured on
/// unseen points are noted, too. The report's scales are those of the normalised coordinates.
AlignmentReport align_published(std::span<PublishedPose> poses, const PublishedPose& reference);

}  // namespace unianimate::pose
