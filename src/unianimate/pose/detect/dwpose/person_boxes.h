// Inside pose: YOLOX, which finds the boxes of people in a whole picture, around its network.
#pragma once

#include <span>
#include <vector>

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/detect/network.h"
#include "unianimate/pose/format/keypoints.h"

namespace unianimate::pose::dwpose {

inline constexpr int kYoloxSide = 640;
inline constexpr std::size_t kYoloxRows = 8400;
inline constexpr std::size_t kYoloxColumns = 85;  ///< box, objectness, 80 classes

/// The interface of yolox_l.onnx: input (1, 3, 640, 640), output (1, 8400, 85).
NetworkInterface yolox_interface();

/// Fills the network's input: the picture at the top left, scaled to fit, 114 elsewhere; blue first, 0 … 255.
/// Returns the scale, network pixels for each picture pixel.
double fill_yolox_input(const Image& picture, std::span<float> input);

/// Boxes of people in picture pixels, the surest first: class score over 0.1, non-maximum suppression at IoU 0.45
/// (sides counted one pixel longer, as published), then only those with a score over 0.3.
std::vector<Box> read_person_boxes(std::span<const float> output, double scale);

}  // namespace unianimate::pose::dwpose
