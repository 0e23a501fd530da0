#include "unianimate/training/footage.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/resize.h"
#include "unianimate/pose/draw/drawing.h"

namespace unianimate::training {

namespace {

/// As the program makes it of a user's poses: drawn at the published width, then scaled.
Image pose_picture(const pose::Keypoints& keypoints, int width, int height) {
  const double factor = static_cast<double>(pose::kCanvasWidth) / width;
  pose::Keypoints on_canvas = keypoints;
  for (pose::Keypoint& point : on_canvas) point.at = point.at * factor;
  const Image canvas = pose::draw_pose(on_canvas, pose::kCanvasWidth, static_cast<int>(std::lround(height * factor)));
  return resize_bilinear(canvas, width, height);
}

/// uint8 (height, width): 1 in the box around the seen points of the face, a sixth of its sides larger each way; of
/// the nose, eyes and ears where no others are seen.
at::Tensor face_mask(const pose::Keypoints& keypoints, int width, int height) {
  double left = width;
  double right = 0;
  double top = height;
  double bottom = 0;
  const auto take = [&](const pose::Keypoint& point) {
    if (!point.seen()) return;
    left = std::min(left, point.at.x);
    right = std::max(right, point.at.x);
    top = std::min(top, point.at.y);
    bottom = std::max(bottom, point.at.y);
  };
  for (std::size_t i = 0; i < pose::kFacePoints; ++i) take(keypoints[pose::kFace + i]);
  if (left > right) {
    using enum pose::KeypointIndex;
    for (const std::size_t i : {kNose, kRightEye, kLeftEye, kRightEar, kLeftEar}) take(keypoints[i]);
  }
  at::Tensor mask = at::zeros({height, width}, at::kByte);
  if (left > right) return mask;
  constexpr double kMargin = 1.0 / 6;
  const auto bounds = [](double low, double high, int side) {
    const double margin = kMargin * (high - low);
    const auto first = static_cast<std::int64_t>(std::clamp(std::floor(low - margin), 0.0, 1.0 * side));
    const auto last = static_cast<std::int64_t>(std::clamp(std::ceil(high + margin), 0.0, 1.0 * side));
    return std::pair(first, last);
  };
  const auto [x0, x1] = bounds(left, right, width);
  const auto [y0, y1] = bounds(top, bottom, height);
  mask.slice(0, y0, y1).slice(1, x0, x1).fill_(1);
  return mask;
}

}  // namespace

Footage make_footage(at::Tensor pictures, const std::vector<pose::Keypoints>& keypoints, std::int64_t coherent) {
  const auto width = static_cast<int>(pictures.size(2));
  const auto height = static_cast<int>(pictures.size(1));
  std::vector<at::Tensor> poses;
  std::vector<at::Tensor> faces;
  for (const pose::Keypoints& points : keypoints) {
    poses.push_back(family::tensor_from_image(pose_picture(points, width, height)));
    faces.push_back(face_mask(points, width, height));
  }
  return {std::move(pictures), at::stack(poses), at::stack(faces), coherent};
}

at::Tensor skeleton_mask(const at::Tensor& poses) {
  return poses.amax(-1).gt(0).to(at::kFloat);
}

}  // namespace unianimate::training
