#include "unianimate/pose/format/keypoints.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unianimate::pose {

namespace {

// COCO-WholeBody's body, and where the parts behind it begin.
constexpr std::size_t kWholeBodyLeftShoulder = 5;
constexpr std::size_t kWholeBodyRightShoulder = 6;
constexpr std::size_t kWholeBodyFeet = 17;

/// For each of our body points but the neck, the place it has in COCO-WholeBody.
constexpr std::size_t kNotThere = kWholeBodyPoints;
constexpr std::array<std::size_t, kBodyPoints> kWholeBodyIndex{0,  kNotThere, 6,  8,  10, 5, 7, 9, 12,
                                                               14, 16,        11, 13, 15, 2, 1, 4, 3};

/// iBUG-68: for each face point its partner on the other side.
constexpr std::array<std::size_t, kFacePoints> kMirroredFace{
    16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4, 3, 2, 1, 0,  // jaw
    26, 25, 24, 23, 22, 21, 20, 19, 18, 17,                         // brows
    27, 28, 29, 30, 35, 34, 33, 32, 31,                             // nose
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,                 // eyes
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,                 // mouth, outside
    64, 63, 62, 61, 60, 67, 66, 65};                                // mouth, inside

/// Body and feet.
constexpr std::array<std::size_t, kFace> kMirroredBody{
    kNose,    kNeck,     kLeftShoulder, kLeftElbow,     kLeftWrist, kRightShoulder, kRightElbow,   kRightWrist,
    kLeftHip, kLeftKnee, kLeftAnkle,    kRightHip,      kRightKnee, kRightAnkle,    kLeftEye,      kRightEye,
    kLeftEar, kRightEar, kRightBigToe,  kRightSmallToe, kRightHeel, kLeftBigToe,    kLeftSmallToe, kLeftHeel};

}  // namespace

double length(Point p) {
  return std::hypot(p.x, p.y);
}

double distance(Point a, Point b) {
  return length(a - b);
}

Point middle(Point a, Point b) {
  return {(a.x + b.x) / 2, (a.y + b.y) / 2};
}

Keypoint drawn_point(const Keypoints& keypoints, std::size_t index) {
  if (index < kBodyPoints) return keypoints[index];
  const Keypoint& big = keypoints[index == kLeftToes ? kLeftBigToe : kRightBigToe];
  const Keypoint& small = keypoints[index == kLeftToes ? kLeftSmallToe : kRightSmallToe];
  const bool both = big.seen() && small.seen();
  return {middle(big.at, small.at), both ? std::min(big.score, small.score) : 0};
}

Keypoint neck_between(const Keypoint& left_shoulder, const Keypoint& right_shoulder) {
  const bool both = left_shoulder.score > kSeenScore && right_shoulder.score > kSeenScore;
  return {middle(left_shoulder.at, right_shoulder.at), both ? 1.0 : 0.0};
}

Keypoints from_whole_body(const WholeBody& points) {
  Keypoints keypoints;
  for (std::size_t i = 0; i < kBodyPoints; ++i) {
    keypoints[i] = i == kNeck ? neck_between(points[kWholeBodyLeftShoulder], points[kWholeBodyRightShoulder])
                              : points[kWholeBodyIndex[i]];
  }
  std::copy(points.begin() + kWholeBodyFeet, points.end(), keypoints.begin() + kBodyPoints);
  return keypoints;
}

std::size_t mirrored(std::size_t index) {
  if (index < kFace) return kMirroredBody[index];
  if (index < kLeftHand) return kFace + kMirroredFace[index - kFace];
  return index < kRightHand ? index + kHandPoints : index - kHandPoints;
}

Keypoints mirrored(const Keypoints& keypoints, double width) {
  Keypoints result;
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    const Keypoint& point = keypoints[i];
    result[mirrored(i)] = {{width - point.at.x, point.at.y}, point.score};
  }
  return result;
}

Box bounding_box(const Keypoints& keypoints) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  Box box{kFar, kFar, -kFar, -kFar};
  for (std::size_t i = 0; i < kFace; ++i) {
    if (!keypoints[i].seen()) continue;
    const Point at = keypoints[i].at;
    box = {std::min(box.left, at.x), std::min(box.top, at.y), std::max(box.right, at.x), std::max(box.bottom, at.y)};
  }
  return box.left > box.right ? Box{} : box;
}

double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const double common = std::max(width, 0.0) * std::max(height, 0.0);
  const double all = a.area() + b.area() - common;
  return all > 0 ? common / all : 0;
}

}  // namespace unianimate::pose
