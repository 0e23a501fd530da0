#include "unianimate/puppet/motion.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "unianimate/core/error.h"
#include "unianimate/puppet/wander.h"

namespace unianimate::puppet {

namespace {

using pose::Keypoints;
using pose::Point;

constexpr double kPi = std::numbers::pi;
constexpr std::uint64_t kMotionStream = 0x307104;

double sign(Side side) {
  return side == kRight ? -1 : 1;
}

/// From straight down, turned outwards.
Point hanging(double angle, Side side) {
  return {sign(side) * std::sin(angle), std::cos(angle)};
}

Point rotated(Point p, double angle) {
  return {p.x * std::cos(angle) - p.y * std::sin(angle), p.x * std::sin(angle) + p.y * std::cos(angle)};
}

Posture dance(std::uint64_t seed, double time) {
  RandomStream random(seed ^ kMotionStream);
  const double tempo = random.uniform(0.8, 1.5);
  const auto wander = [&](double seconds) { return Wander(random, seconds * tempo).at(time); };
  Posture p;
  p.lean = 0.16 * wander(2.2);
  p.shoulder_tilt = 0.14 * wander(1.6);
  p.head_tilt = 0.2 * wander(1.8);
  p.turn = 0.5 * wander(3.5);
  for (const Side side : {kRight, kLeft}) {
    p.arm[side] = 1.15 + 1.15 * wander(2.0);
    p.elbow[side] = 0.5 + 1.1 * wander(1.5);
    p.leg[side] = 0.16 + 0.24 * wander(2.0);
    p.knee[side] = 0.22 + 0.3 * wander(1.7);
    p.hand[side] = 0.4 * wander(1.3);
    p.hand_open[side] = 0.65 + 0.35 * wander(2.5);
  }
  p.way_x = 0.06 * wander(3.0);
  p.way_y = 0.025 * wander(1.2);
  p.near_side = random.chance(0.5) ? kRight : kLeft;
  p.arm_behind = random.chance(0.4);
  return p;
}

Posture walk(std::uint64_t seed, double time) {
  RandomStream random(seed ^ kMotionStream);
  const double steps_per_second = random.uniform(0.8, 1.3);
  const double step = 2 * kPi * (steps_per_second * time + random.uniform());
  const double swing = random.uniform(0.25, 0.45);
  Posture p;
  p.turn = random.chance(0.5) ? 0.7 : -0.7;
  p.lean = 0.05 * (p.turn > 0 ? 1 : -1) + 0.02 * std::sin(2 * step);
  for (const Side side : {kRight, kLeft}) {
    const double phase = std::sin(step + (side == kRight ? 0 : kPi));
    // Outwards is forwards for one side and backwards for the other.
    p.leg[side] = sign(side) * swing * phase + 0.02;
    p.knee[side] = sign(side) * (p.turn > 0 ? 1 : -1) * 0.5 * std::max(0.0, -phase);
    p.arm[side] = 0.08 - sign(side) * 0.8 * swing * phase;
    p.elbow[side] = sign(side) * (p.turn > 0 ? 1 : -1) * 0.3;
  }
  p.way_y = 0.012 * std::cos(2 * step);
  p.near_side = p.turn > 0 ? kRight : kLeft;
  p.arm_behind = true;
  return p;
}

Posture wave(std::uint64_t seed, double time) {
  RandomStream random(seed ^ kMotionStream);
  const Side waving = random.chance(0.5) ? kRight : kLeft;
  const Side other = waving == kRight ? kLeft : kRight;
  const double beat = 2 * kPi * random.uniform(1.2, 2.2) * time;
  Posture p;
  p.lean = 0.04 * Wander(random, 2.5).at(time);
  p.head_tilt = 0.12 * Wander(random, 2.0).at(time);
  p.arm[waving] = 1.9 + 0.15 * Wander(random, 2.0).at(time);
  p.elbow[waving] = 0.9 + 0.4 * std::sin(beat);
  p.hand[waving] = 0.3 * std::sin(beat);
  p.hand_open[waving] = 1;
  p.arm[other] = 0.25 + 0.1 * Wander(random, 2.4).at(time);
  p.near_side = waving;
  return p;
}

// ---- points

struct BodyFrame {
  const Posture& posture;
  const Identity& identity;
  double unit;  ///< pixels of a body height
  Keypoints points{};

  void set(std::size_t index, Point at) { points[index] = {at, 1}; }
  [[nodiscard]] Point at(std::size_t index) const { return points[index].at; }
};

void place_hand(BodyFrame& body, Side side, Point wrist, double angle) {
  const std::size_t first = side == kRight ? pose::kRightHand : pose::kLeftHand;
  const double size = body.identity.proportions.hand * body.unit;
  const double open = std::clamp(body.posture.hand_open[side], 0.0, 1.0);
  body.set(first, wrist);
  constexpr std::size_t kFingers = 5;
  constexpr std::size_t kJoints = 4;
  for (std::size_t finger = 0; finger < kFingers; ++finger) {
    // The thumb is on the body's side of a hanging arm.
    const double spread = (static_cast<double>(finger) - 2) * (finger == 0 ? 0.34 : 0.22) * (0.5 + 0.5 * open);
    const Point along = hanging(angle + spread, side);
    const double reach = size * (finger == 0 ? 0.75 : 1.0) * (0.7 + 0.5 * open);
    for (std::size_t joint = 0; joint < kJoints; ++joint) {
      const double share = 0.42 + 0.58 * static_cast<double>(joint) / (kJoints - 1);
      body.set(first + 1 + finger * kJoints + joint, wrist + along * (reach * share));
    }
  }
}

void place_arm(BodyFrame& body, Side side, Point shoulder) {
  const Proportions& lengths = body.identity.proportions;
  const Posture& p = body.posture;
  const std::size_t first = side == kRight ? pose::kRightShoulder : pose::kLeftShoulder;
  const double forearm_angle = p.arm[side] + p.elbow[side];
  const Point elbow = shoulder + hanging(p.arm[side], side) * (lengths.upper_arm * body.unit);
  const Point wrist = elbow + hanging(forearm_angle, side) * (lengths.forearm * body.unit);
  body.set(first, shoulder);
  body.set(first + 1, elbow);
  body.set(first + 2, wrist);
  place_hand(body, side, wrist, forearm_angle + p.hand[side]);
}

void place_leg(BodyFrame& body, Side side, Point hip) {
  const Proportions& lengths = body.identity.proportions;
  const Posture& p = body.posture;
  const std::size_t first = side == kRight ? pose::kRightHip : pose::kLeftHip;
  const std::size_t toes = side == kRight ? pose::kRightBigToe : pose::kLeftBigToe;
  const Point knee = hip + hanging(p.leg[side], side) * (lengths.thigh * body.unit);
  const double shin_angle = p.leg[side] - p.knee[side];
  const Point ankle = knee + hanging(shin_angle, side) * (lengths.shin * body.unit);
  body.set(first, hip);
  body.set(first + 1, knee);
  body.set(first + 2, ankle);
  // Feet point outwards, and where the body is turned all point there.
  const double out = std::clamp(sign(side) * 0.75 + 1.2 * p.turn, -1.0, 1.0);
  const double foot = lengths.foot * body.unit;
  const Point toe = ankle + Point{out * foot, 0.45 * foot};
  body.set(toes, toe);
  body.set(toes + 1, toe + Point{-0.25 * out * foot, 0.06 * foot});
  body.set(toes + 2, ankle + Point{-0.25 * out * foot, 0.45 * foot});
}

void place_head(BodyFrame& body, Point neck, double tilt) {
  const Identity& identity = body.identity;
  const double radius = identity.proportions.head * body.unit;
  const double turn = body.posture.turn;
  const Point centre = neck + rotated({0, -1}, tilt) * (identity.proportions.neck * body.unit + radius);
  // In radii of the head, before it is tilted.
  const auto on_head = [&](double x, double y) { return centre + rotated(Point{x, y} * radius, tilt); };
  const double narrow = std::cos(turn * 0.9);
  const double shift = 0.55 * std::sin(turn * 0.9);
  const double eye = identity.face.eye_distance;
  const auto face = [&](double x, double y) { return on_head(shift + x * narrow, y); };
  body.set(pose::kNose, face(0, 0.12));
  body.set(pose::kRightEye, face(-eye, -0.12));
  body.set(pose::kLeftEye, face(eye, -0.12));
  body.set(pose::kRightEar, on_head(-0.95 * narrow - 0.35 * shift, 0));
  body.set(pose::kLeftEar, on_head(0.95 * narrow - 0.35 * shift, 0));

  std::size_t next = pose::kFace;
  const auto add = [&](double x, double y) { body.set(next++, face(x, y)); };
  for (int i = 0; i < 17; ++i) {  // jaw, from the person's right ear to the left one
    const double angle = kPi * (1 - i / 16.0);
    add(0.9 * std::cos(angle), 0.95 * std::sin(angle));
  }
  for (const double centre_x : {-eye, eye}) {  // eyebrows
    for (int i = 0; i < 5; ++i) add(centre_x + 0.09 * (i - 2), -0.36 + 0.015 * (i - 2) * (i - 2));
  }
  for (int i = 0; i < 4; ++i) add(0, -0.12 + 0.08 * i);  // bridge of the nose
  for (int i = 0; i < 5; ++i) add(0.06 * (i - 2), 0.2);  // its base
  for (const double centre_x : {-eye, eye}) {            // eyes, corner by corner around
    for (int i = 0; i < 6; ++i) {
      const double angle = kPi - i * kPi / 3;
      add(centre_x + 0.13 * std::cos(angle), -0.12 - 0.07 * std::sin(angle));
    }
  }
  const double mouth = identity.face.mouth_width;
  for (int i = 0; i < 12; ++i) {  // outer lips
    const double angle = kPi - i * kPi / 6;
    add(mouth * std::cos(angle), 0.5 - 0.11 * std::sin(angle));
  }
  for (int i = 0; i < 8; ++i) {  // inner lips
    const double angle = kPi - i * kPi / 4;
    add(0.8 * mouth * std::cos(angle), 0.5 - 0.05 * std::sin(angle));
  }
}

}  // namespace

std::string_view motion_name(MotionKind kind) {
  switch (kind) {
    case MotionKind::kDance:
      return "dance";
    case MotionKind::kWalk:
      return "walk";
    case MotionKind::kWave:
      return "wave";
  }
  return "";
}

MotionKind parse_motion(std::string_view text) {
  for (const MotionKind kind : {MotionKind::kDance, MotionKind::kWalk, MotionKind::kWave}) {
    if (text == motion_name(kind)) return kind;
  }
  throw Error(ErrorKind::kUsage, "the motion is dance, walk or wave, found '{}'", printable(text));
}

Motion::Motion(MotionKind kind, std::uint64_t seed) : kind_(kind), seed_(seed) {}

Posture Motion::at(double seconds) const {
  switch (kind_) {
    case MotionKind::kWalk:
      return walk(seed_, seconds);
    case MotionKind::kWave:
      return wave(seed_, seconds);
    default:
      return dance(seed_, seconds);
  }
}

Stage stage_for(int width, int height) {
  constexpr double kShareOfHeight = 0.86;
  constexpr double kShareOfWidth = 1.25;
  const double body = std::min(kShareOfHeight * height, kShareOfWidth * width);
  constexpr double kHipsAboveMiddle = 0.02;
  return {body, {width / 2.0, height / 2.0 + kHipsAboveMiddle * body}};
}

Keypoints place_body(const Posture& posture, const Identity& identity, const Stage& stage) {
  const Proportions& lengths = identity.proportions;
  BodyFrame body{posture, identity, stage.height};
  const Point hips = stage.hips + Point{posture.way_x, posture.way_y} * stage.height;
  const Point neck = hips + rotated({0, -1}, posture.lean) * (lengths.torso * stage.height);
  const double narrow = std::cos(posture.turn);
  const Point across =
      rotated({1, 0}, posture.lean + posture.shoulder_tilt) * (lengths.shoulders * narrow * stage.height);
  const Point hip_line = rotated({1, 0}, 0.3 * posture.lean) * (lengths.hips * narrow * stage.height);
  body.set(pose::kNeck, neck);
  place_arm(body, kRight, neck - across);
  place_arm(body, kLeft, neck + across);
  place_leg(body, kRight, hips - hip_line);
  place_leg(body, kLeft, hips + hip_line);
  place_head(body, neck, posture.lean + posture.head_tilt);
  return body.points;
}

}  // namespace unianimate::puppet
