// Inside pose: RTMPose as DWPose trained it (133 points of the person in a box), around its network.
#pragma once

#include <span>

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/detect/network.h"
#include "unianimate/pose/format/keypoints.h"

namespace unianimate::pose::dwpose {

inline constexpr int kCropWidth = 288;
inline constexpr int kCropHeight = 384;
/// SimCC: one score for each half pixel of the crop, for x and y apart.
inline constexpr std::size_t kSimccX = 2 * kCropWidth;
inline constexpr std::size_t kSimccY = 2 * kCropHeight;

/// The interface of dw-ll_ucoco_384.onnx: input (1, 3, 384, 288), outputs simcc_x (1, 133, 576), simcc_y (1, 133, 768).
NetworkInterface whole_body_interface();

/// The upright part of the picture that the network sees for a box: 1.25 times as large, then as wide or high as its
/// input's aspect wants.
struct CropFrame {
  Point centre;
  double width = 0;
  double height = 0;
};
CropFrame crop_frame(const Box& box);

/// Fills the network's input; black outside the picture, blue first, normalised with the published (red first) means.
void fill_whole_body_input(const Image& picture, const CropFrame& frame, std::span<float> input);

/// Each point where its scores are highest, in picture pixels; its score is the smaller of the two maxima. Where that
/// is not above 0 the point goes to half a pixel before the crop's corner, as published.
WholeBody read_whole_body(std::span<const float> simcc_x, std::span<const float> simcc_y, const CropFrame& frame);

}  // namespace unianimate::pose::dwpose
