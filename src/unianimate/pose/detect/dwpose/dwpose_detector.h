// Inside pose: the published pair of detectors.
#pragma once

#include <filesystem>
#include <memory>

#include "unianimate/pose/detect/detector.h"

namespace unianimate::pose {

inline constexpr const char* kYoloxFile = "yolox_l.onnx";
inline constexpr const char* kWholeBodyFile = "dw-ll_ucoco_384.onnx";

/// `folder` holds both files. As published, a picture without a box gets the points of the whole picture; of
/// more than 20 people the surest are taken. Throws
/// Error(kInput) naming a network that is missing or is another.
std::unique_ptr<PoseDetector> load_dwpose(const std::filesystem::path& folder, int threads);

}  // namespace unianimate::pose
