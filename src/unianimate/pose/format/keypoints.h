// The 134 points of a person, in the order the published pose tool works with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace unianimate::pose {

struct Point {
  double x = 0;
  double y = 0;

  friend Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend Point operator*(Point a, double factor) { return {a.x * factor, a.y * factor}; }
  friend bool operator==(Point, Point) = default;
};

double length(Point p);
double distance(Point a, Point b);
Point middle(Point a, Point b);

/// A point under this score counts as unseen, as published.
inline constexpr double kSeenScore = 0.3;

/// Pixels of the picture the pose belongs to: x from 0 at the left edge to its width, y from 0 at the top to its
/// height; points may lie outside. An unseen point keeps the detector's guess, which may be far off.
struct Keypoint {
  Point at;
  double score = 0;  ///< 0 … 1

  [[nodiscard]] bool seen() const { return score >= kSeenScore; }
};

/// COCO-WholeBody's 133 points with a neck put in, the body in OpenPose's order. Left is the person's left.
inline constexpr std::size_t kKeypoints = 134;
enum KeypointIndex : std::size_t {
  kNose = 0,
  kNeck = 1,
  kRightShoulder = 2,
  kRightElbow = 3,
  kRightWrist = 4,
  kLeftShoulder = 5,
  kLeftElbow = 6,
  kLeftWrist = 7,
  kRightHip = 8,
  kRightKnee = 9,
  kRightAnkle = 10,
  kLeftHip = 11,
  kLeftKnee = 12,
  kLeftAnkle = 13,
  kRightEye = 14,
  kLeftEye = 15,
  kRightEar = 16,
  kLeftEar = 17,
  kLeftBigToe = 18,
  kLeftSmallToe = 19,
  kLeftHeel = 20,
  kRightBigToe = 21,
  kRightSmallToe = 22,
  kRightHeel = 23,
  kFace = 24,        ///< the first of 68
  kLeftHand = 92,    ///< the first of 21: wrist, then four points each of thumb, index, middle, ring, little finger
  kRightHand = 113,  ///< the first of 21
};
inline constexpr std::size_t kBodyPoints = 18;  ///< without feet
/// What pose pictures show: the body's points, then the middles of the toes of both feet.
inline constexpr std::size_t kLeftToes = kBodyPoints;
inline constexpr std::size_t kRightToes = kBodyPoints + 1;
inline constexpr std::size_t kDrawnPoints = kBodyPoints + 2;
inline constexpr std::size_t kFacePoints = 68;
inline constexpr std::size_t kHandPoints = 21;

using Keypoints = std::array<Keypoint, kKeypoints>;

/// COCO-WholeBody's own order: 17 body, 6 feet, 68 face, 21 left hand, 21 right hand.
inline constexpr std::size_t kWholeBodyPoints = 133;
using WholeBody = std::array<Keypoint, kWholeBodyPoints>;

/// Puts the neck in, the middle of the shoulders with score 1 where both are over 0.3 and 0 otherwise, and reorders the
/// body.
Keypoints from_whole_body(const WholeBody& points);

/// One of the kDrawnPoints: toes are seen where both of the foot are.
Keypoint drawn_point(const Keypoints& keypoints, std::size_t index);

/// The neck from the shoulders, by the same rule.
Keypoint neck_between(const Keypoint& left_shoulder, const Keypoint& right_shoulder);

/// The same point on the other side of the body; itself for nose and neck. Face points are mirrored within the face.
std::size_t mirrored(std::size_t index);

/// The points in the mirrored picture, which is `width` pixels wide: what was the left hand is a right one there.
Keypoints mirrored(const Keypoints& keypoints, double width);

/// The smallest upright box around the seen points of body and feet; empty (all 0) where none is seen.
struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;

  [[nodiscard]] double width() const { return right - left; }
  [[nodiscard]] double height() const { return bottom - top; }
  [[nodiscard]] double area() const { return width() * height(); }
  [[nodiscard]] Point centre() const { return {(left + right) / 2, (top + bottom) / 2}; }
};
Box bounding_box(const Keypoints& keypoints);

/// Intersection over union; 0 where both are empty.
double overlap(const Box& a, const Box& b);

}  // namespace unianimate::pose
