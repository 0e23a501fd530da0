#include "unianimate/puppet/posture_estimate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

namespace unianimate::puppet {

namespace {

using pose::Keypoints;
using pose::Point;

/// Points of one side.
struct SidePoints {
  std::size_t shoulder, elbow, wrist, hip, knee, ankle, hand;
};
constexpr Both<SidePoints> kSides{SidePoints{pose::kRightShoulder, pose::kRightElbow, pose::kRightWrist,
                                             pose::kRightHip, pose::kRightKnee, pose::kRightAnkle, pose::kRightHand},
                                  SidePoints{pose::kLeftShoulder, pose::kLeftElbow, pose::kLeftWrist, pose::kLeftHip,
                                             pose::kLeftKnee, pose::kLeftAnkle, pose::kLeftHand}};
constexpr std::size_t kMiddleKnuckle = 9;
constexpr std::size_t kMiddleTip = 12;

/// What a body point hangs on; each stands after its parent. The neck is the root, hands and head come after.
struct Joint {
  std::size_t child, parent;
};
constexpr std::array<Joint, 20> kSkeleton{{{pose::kNose, pose::kNeck},
                                           {pose::kRightShoulder, pose::kNeck},
                                           {pose::kRightElbow, pose::kRightShoulder},
                                           {pose::kRightWrist, pose::kRightElbow},
                                           {pose::kLeftShoulder, pose::kNeck},
                                           {pose::kLeftElbow, pose::kLeftShoulder},
                                           {pose::kLeftWrist, pose::kLeftElbow},
                                           {pose::kRightHip, pose::kNeck},
                                           {pose::kRightKnee, pose::kRightHip},
                                           {pose::kRightAnkle, pose::kRightKnee},
                                           {pose::kLeftHip, pose::kNeck},
                                           {pose::kLeftKnee, pose::kLeftHip},
                                           {pose::kLeftAnkle, pose::kLeftKnee},
                                           {pose::kRightBigToe, pose::kRightAnkle},
                                           {pose::kRightSmallToe, pose::kRightAnkle},
                                           {pose::kRightHeel, pose::kRightAnkle},
                                           {pose::kLeftBigToe, pose::kLeftAnkle},
                                           {pose::kLeftSmallToe, pose::kLeftAnkle},
                                           {pose::kLeftHeel, pose::kLeftAnkle},
                                           {pose::kNeck, pose::kNeck}}};
/// The points of the head that say where it is, the best first.
constexpr std::array<std::size_t, 5> kHeadPoints{pose::kNose, pose::kRightEye, pose::kLeftEye, pose::kRightEar,
                                                 pose::kLeftEar};

std::optional<Point> seen(const Keypoints& points, std::size_t index) {
  if (!points[index].seen()) return std::nullopt;
  return points[index].at;
}

std::optional<Point> seen_between(const Keypoints& points, std::size_t from, std::size_t to) {
  if (!points[from].seen() || !points[to].seen()) return std::nullopt;
  return points[to].at - points[from].at;
}

std::optional<Point> hips_middle(const Keypoints& points) {
  if (!points[pose::kRightHip].seen() || !points[pose::kLeftHip].seen()) return std::nullopt;
  return pose::middle(points[pose::kRightHip].at, points[pose::kLeftHip].at);
}

double wrapped(double angle) {
  return std::remainder(angle, 2 * std::numbers::pi);
}

/// From straight down, turned outwards; see Posture.
double outward_angle(Point along, Side side) {
  return std::atan2(side == kRight ? -along.x : along.x, along.y);
}

/// From straight up, positive to the right of the picture.
double upward_angle(Point along) {
  return std::atan2(along.x, -along.y);
}

/// The value that `share` of all are under.
double quantile(std::vector<double> values, double share) {
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, place);
  return *place;
}

// ---- head

struct Head {
  double tilt = 0;
  double turn = 0;
};

/// place_body() puts, in radii of the head turned by t, the nose at 0.55 sin 0.9t, the ears at ±0.95 cos 0.9t about
/// −0.35 · 0.55 sin 0.9t: from the nose's place between the ears follows t.
double turn_from_nose(double nose_share) {
  constexpr double kEars = 0.95;
  constexpr double kShift = 0.55 * 1.35;
  constexpr double kTurn = 0.9;
  constexpr double kMost = 1.3;
  return std::clamp(std::atan(nose_share * kEars / kShift) / kTurn, -kMost, kMost);
}

Head estimate_head(const Keypoints& points, const Posture& before, double radius) {
  constexpr double kProfile = 1;  // radians, where one ear is seen
  const std::optional<Point> from_neck = seen_between(points, pose::kNeck, pose::kNose);
  Head head{from_neck ? upward_angle(*from_neck) : before.lean + before.head_tilt, before.turn};

  const std::optional<Point> ears = seen_between(points, pose::kRightEar, pose::kLeftEar);
  const std::optional<Point> eyes = seen_between(points, pose::kRightEye, pose::kLeftEye);
  constexpr double kEyesToEars = 2;
  constexpr double kClear = 0.5;  // of the radius: a line shorter than that has no direction
  const std::optional<Point> line = ears ? ears : eyes ? std::optional(*eyes * kEyesToEars) : std::nullopt;
  if (line && pose::length(*line) > kClear * radius) {
    const double angle = std::atan2(line->y, line->x);
    // Of somebody who turns away the face is shown all the same, upright.
    const bool backwards = std::abs(wrapped(angle - head.tilt)) > std::numbers::pi / 2;
    head.tilt = backwards ? wrapped(angle + std::numbers::pi) : angle;
  }
  const std::optional<Point> nose = seen(points, pose::kNose);
  if (ears && nose && pose::length(*ears) > 0) {
    const Point offset = *nose - pose::middle(points[pose::kRightEar].at, points[pose::kLeftEar].at);
    const double across = offset.x * std::cos(head.tilt) + offset.y * std::sin(head.tilt);
    head.turn = turn_from_nose(across / (pose::length(*ears) / 2));
  } else if (points[pose::kRightEar].seen() != points[pose::kLeftEar].seen()) {
    head.turn = points[pose::kRightEar].seen() ? kProfile : -kProfile;
  }
  return head;
}

// ---- body

double estimate_turn(const Keypoints& points, const BodySize& size, double head_turn, double before) {
  const std::optional<Point> shoulders = seen_between(points, pose::kRightShoulder, pose::kLeftShoulder);
  if (!shoulders) return before;
  const double turn = std::acos(std::clamp(pose::length(*shoulders) / size.shoulders, 0.0, 1.0));
  constexpr double kAhead = 0.05;
  const double side = std::abs(head_turn) > kAhead ? head_turn : before;
  return std::copysign(turn, side);
}

void estimate_limbs(const Keypoints& points, const Identity& identity, double unit, Side side, Posture& posture) {
  const SidePoints& own = kSides[side];
  if (const auto along = seen_between(points, own.shoulder, own.elbow)) posture.arm[side] = outward_angle(*along, side);
  if (const auto along = seen_between(points, own.elbow, own.wrist))
    posture.elbow[side] = wrapped(outward_angle(*along, side) - posture.arm[side]);
  if (const auto along = seen_between(points, own.hip, own.knee)) posture.leg[side] = outward_angle(*along, side);
  if (const auto along = seen_between(points, own.knee, own.ankle))
    posture.knee[side] = wrapped(posture.leg[side] - outward_angle(*along, side));
  if (const auto along = seen_between(points, own.hand, own.hand + kMiddleKnuckle))
    posture.hand[side] = wrapped(outward_angle(*along, side) - posture.arm[side] - posture.elbow[side]);
  if (const auto along = seen_between(points, own.hand, own.hand + kMiddleTip)) {
    // place_body() reaches that far with a fist, and so much further with an open hand.
    constexpr double kFist = 0.7;
    constexpr double kOpening = 0.5;
    const double reach = pose::length(*along) / (identity.proportions.hand * unit);
    posture.hand_open[side] = std::clamp((reach - kFist) / kOpening, 0.0, 1.0);
  }
}

Posture estimate_posture(const Keypoints& points, const Identity& identity, const BodySize& size, const Head& head,
                         const Posture& before) {
  Posture posture = before;
  const std::optional<Point> hips = hips_middle(points);
  const std::optional<Point> neck = seen(points, pose::kNeck);
  if (hips && neck) posture.lean = upward_angle(*neck - *hips);
  posture.turn = estimate_turn(points, size, head.turn, before.turn);
  if (const auto line = seen_between(points, pose::kRightShoulder, pose::kLeftShoulder))
    posture.shoulder_tilt = wrapped(std::atan2(line->y, line->x) - posture.lean);
  posture.head_tilt = wrapped(head.tilt - posture.lean);
  for (const Side side : {kRight, kLeft}) estimate_limbs(points, identity, size.unit, side, posture);
  return posture;
}

// ---- points

/// Puts what is unseen where `model` has it, seen from the nearest seen point above.
void complete(Keypoints& points, const Keypoints& model) {
  const auto hang = [&](std::size_t child, std::size_t parent) {
    if (!points[child].seen()) points[child].at = points[parent].at + model[child].at - model[parent].at;
    points[child].score = 1;
  };
  if (!points[pose::kNeck].seen()) {
    const auto found = std::ranges::find_if(kSkeleton, [&](const Joint& joint) { return points[joint.child].seen(); });
    points[pose::kNeck].at = points[found->child].at + model[pose::kNeck].at - model[found->child].at;
  }
  for (const auto& [child, parent] : kSkeleton) {
    if (child != parent) hang(child, parent);
  }
  points[pose::kNeck].score = 1;
  for (const SidePoints& side : kSides) {
    for (std::size_t i = 0; i < pose::kHandPoints; ++i) hang(side.hand + i, side.wrist);
  }
}

/// The person's own head, where the best seen point of the head is.
void put_on_head(Keypoints& points, const Keypoints& model, std::size_t anchor) {
  const Point offset = points[anchor].at - model[anchor].at;
  const auto put = [&](std::size_t index) { points[index] = {model[index].at + offset, 1}; };
  for (const std::size_t index : kHeadPoints) put(index);
  for (std::size_t i = 0; i < pose::kFacePoints; ++i) put(pose::kFace + i);
}

}  // namespace

BodySize measure_body(const pose::PoseSequence& poses, const Proportions& proportions, double usual) {
  // Foreshortening makes bones shorter, and errors now and then longer.
  constexpr double kBoneQuantile = 0.8;
  constexpr double kShouldersQuantile = 0.95;
  struct Bone {
    std::size_t from, to;
    double share;
  };
  std::vector<Bone> bones;
  for (const SidePoints& side : kSides) {
    bones.push_back({side.shoulder, side.elbow, proportions.upper_arm});
    bones.push_back({side.elbow, side.wrist, proportions.forearm});
    bones.push_back({side.hip, side.knee, proportions.thigh});
    bones.push_back({side.knee, side.ankle, proportions.shin});
  }
  std::vector<std::vector<double>> units(bones.size() + 1);
  std::vector<double> shoulders;
  for (const pose::PoseFrame& frame : poses.frames) {
    for (const pose::Person& person : frame.people) {
      const Keypoints& points = person.keypoints;
      for (std::size_t i = 0; i < bones.size(); ++i) {
        if (const auto along = seen_between(points, bones[i].from, bones[i].to))
          units[i].push_back(pose::length(*along) / bones[i].share);
      }
      const std::optional<Point> hips = hips_middle(points);
      if (hips && points[pose::kNeck].seen())
        units.back().push_back(pose::distance(points[pose::kNeck].at, *hips) / proportions.torso);
      if (const auto line = seen_between(points, pose::kRightShoulder, pose::kLeftShoulder))
        shoulders.push_back(pose::length(*line));
    }
  }
  std::vector<double> of_bones;
  for (const std::vector<double>& lengths : units) {
    if (!lengths.empty()) of_bones.push_back(quantile(lengths, kBoneQuantile));
  }
  BodySize size{of_bones.empty() ? usual : std::max(1.0, quantile(of_bones, 0.5)), 0};
  size.shoulders = 2 * proportions.shoulders * size.unit;
  if (!shoulders.empty()) size.shoulders = std::max(size.shoulders, quantile(shoulders, kShouldersQuantile));
  return size;
}

Stance estimate_stance(const Keypoints& seen_points, const Identity& identity, const BodySize& size,
                       const Stance& before) {
  const bool somebody =
      std::ranges::any_of(kSkeleton, [&](const Joint& joint) { return seen_points[joint.child].seen(); });
  if (!somebody) return before;
  const Stage anywhere{size.unit, {}};
  const Head head = estimate_head(seen_points, before.posture, identity.proportions.head * size.unit);
  Stance stance{estimate_posture(seen_points, identity, size, head, before.posture), seen_points, size.unit};
  complete(stance.points, place_body(stance.posture, identity, anywhere));

  Posture facing = stance.posture;
  facing.turn = head.turn;
  const auto anchor = std::ranges::find_if(kHeadPoints, [&](std::size_t index) { return seen_points[index].seen(); });
  put_on_head(stance.points, place_body(facing, identity, anywhere),
              anchor == kHeadPoints.end() ? std::size_t{pose::kNeck} : *anchor);
  return stance;
}

}  // namespace unianimate::puppet
