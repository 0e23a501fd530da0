// How procedural people hold themselves and move, and where that puts their 134 points.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "unianimate/pose/format/keypoints.h"
#include "unianimate/puppet/identity.h"

namespace unianimate::puppet {

/// Right and left of the person, who faces the viewer: right is on the left of the picture.
enum Side : std::size_t { kRight = 0, kLeft = 1 };
template <typename T>
using Both = std::array<T, 2>;

/// Angles in radians. Limbs: 0 hangs down, a positive angle points outwards.
struct Posture {
  double lean = 0;  ///< of the trunk, positive to the right of the picture
  double shoulder_tilt = 0;
  double head_tilt = 0;
  double turn = 0;  ///< −1 … 1: of the body about its axis; 0 faces the viewer
  Both<double> arm{0.3, 0.3};
  Both<double> elbow{0.2, 0.2};  ///< added to the arm's angle
  Both<double> leg{0.1, 0.1};
  Both<double> knee{0, 0};           ///< taken from the leg's angle
  Both<double> hand{0, 0};           ///< added to the forearm's angle
  Both<double> hand_open{0.8, 0.8};  ///< 0 a fist, 1 spread
  double way_x = 0;                  ///< of the hips, in body heights
  double way_y = 0;
  Side near_side = kLeft;   ///< whose limbs are in front
  bool arm_behind = false;  ///< the far arm is behind the trunk
};

enum class MotionKind { kDance, kWalk, kWave };
/// "dance", "walk", "wave". Throws Error(kUsage).
MotionKind parse_motion(std::string_view text);
std::string_view motion_name(MotionKind kind);

/// The same seed gives the same movement at any frame rate.
class Motion {
 public:
  Motion(MotionKind kind, std::uint64_t seed);
  [[nodiscard]] Posture at(double seconds) const;

 private:
  MotionKind kind_;
  std::uint64_t seed_;
};

/// Where a body stands in a picture, in pixels.
struct Stage {
  double height = 0;  ///< of a body of the usual proportions
  pose::Point hips;   ///< where they are when the way is 0
};
/// A body that fills most of the picture.
Stage stage_for(int width, int height);

/// All points of the body, face and hands, every one with score 1.
pose::Keypoints place_body(const Posture& posture, const Identity& identity, const Stage& stage);

}  // namespace unianimate::puppet
