// How far two pose sequences of the same motion are apart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// Distances are shares of the second sequence's height.
struct JointComparison {
  std::string joint;
  std::int64_t compared = 0;    ///< seen in both
  std::int64_t only_first = 0;  ///< seen only there
  std::int64_t only_second = 0;
  double mean = 0;
  double median = 0;
  double largest = 0;
  double within_2_percent = 0;  ///< share of the compared ones
  double within_5_percent = 0;
};

struct PoseComparison {
  std::int64_t frames = 0;              ///< compared: the first of both, as many as the shorter has
  JointComparison all;                  ///< all joints together
  std::vector<JointComparison> joints;  ///< the 20 body points that pose pictures show
};

/// The first person of each frame. Where the pictures' sizes differ, the first sequence is stretched to the second's.
/// Throws Error(kInput) where no joint is seen in both.
PoseComparison compare_poses(const PoseSequence& first, const PoseSequence& second);

}  // namespace unianimate::pose
