// Inside pose: colours that several report pictures share.
#pragma once

#include <opencv2/core.hpp>

namespace unianimate::pose {

inline const cv::Scalar kFilledColour = {230, 130, 20};  ///< what was not found but filled in
inline const cv::Scalar kNobodyColour = {200, 30, 45};

}  // namespace unianimate::pose
