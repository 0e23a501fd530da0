#include "unianimate/pose/align/robust_alignment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "unianimate/core/error.h"

namespace unianimate::pose {

namespace {

/// Places of a body: its points without feet, and the middle of the hips.
constexpr std::size_t kHips = kBodyPoints;
constexpr std::size_t kPlaces = kBodyPoints + 1;

/// A length between two places that its ratio is measured on.
struct Bone {
  const char* name;
  std::size_t root;
  std::size_t tip;
};
enum BoneIndex : std::size_t {
  kNeckBone,
  kRightShoulderBone,
  kLeftShoulderBone,
  kTorsoBone,
  kRightHipBone,
  kLeftHipBone,
  kRightUpperArm,
  kLeftUpperArm,
  kRightForearm,
  kLeftForearm,
  kRightThigh,
  kLeftThigh,
  kRightShin,
  kLeftShin,
  kRightEyeBone,
  kLeftEyeBone,
  kRightEarBone,
  kLeftEarBone,
  kBones,
};
constexpr std::array<Bone, kBones> kSkeleton{{{"neck", kNeck, kNose},
                                              {"right shoulder", kNeck, kRightShoulder},
                                              {"left shoulder", kNeck, kLeftShoulder},
                                              {"torso", kNeck, kHips},
                                              {"right hip", kHips, kRightHip},
                                              {"left hip", kHips, kLeftHip},
                                              {"right upper arm", kRightShoulder, kRightElbow},
                                              {"left upper arm", kLeftShoulder, kLeftElbow},
                                              {"right forearm", kRightElbow, kRightWrist},
                                              {"left forearm", kLeftElbow, kLeftWrist},
                                              {"right thigh", kRightHip, kRightKnee},
                                              {"left thigh", kLeftHip, kLeftKnee},
                                              {"right shin", kRightKnee, kRightAnkle},
                                              {"left shin", kLeftKnee, kLeftAnkle},
                                              {"nose to right eye", kNose, kRightEye},
                                              {"nose to left eye", kNose, kLeftEye},
                                              {"right eye to ear", kRightEye, kRightEar},
                                              {"left eye to ear", kLeftEye, kLeftEar}}};

/// The bone of the other side; itself in the middle.
constexpr std::size_t other_side(std::size_t bone) {
  if (bone == kNeckBone || bone == kTorsoBone) return bone;
  const bool first_of_pair = bone < kTorsoBone ? bone % 2 == 1 : bone % 2 == 0;
  return first_of_pair ? bone + 1 : bone - 1;
}

/// Bones whose sum gives the figure's scale, and how near somebody is to the camera.
constexpr std::array kScaleBones{kTorsoBone, kRightShoulderBone, kLeftShoulderBone};

/// The places of a body in one frame.
class Body {
 public:
  explicit Body(const Keypoints& keypoints) {
    std::copy_n(keypoints.begin(), kBodyPoints, points_.begin());
    const Keypoint& right = keypoints[kRightHip];
    const Keypoint& left = keypoints[kLeftHip];
    points_[kHips] = {middle(right.at, left.at), std::min(right.score, left.score)};
  }
  [[nodiscard]] bool seen(std::size_t point) const { return points_[point].seen(); }
  [[nodiscard]] Point at(std::size_t point) const { return points_[point].at; }

 private:
  std::array<Keypoint, kPlaces> points_;
};

/// Length in pixels; nothing where an end is unseen.
std::optional<double> bone_length(const Body& body, const Bone& bone) {
  if (!body.seen(bone.root) || !body.seen(bone.tip)) return std::nullopt;
  return distance(body.at(bone.root), body.at(bone.tip));
}

/// Lengths that can be compared: nothing where a bone is unseen or has next to no length.
using Lengths = std::array<std::optional<double>, kBones>;

void drop_tiny(Lengths& lengths) {
  constexpr double kShare = 0.02;
  double longest = 0;
  for (const auto& l : lengths) longest = std::max(longest, l.value_or(0));
  for (auto& l : lengths) {
    if (l && !(*l > kShare * longest)) l.reset();
  }
}

Lengths reference_lengths(const Body& body) {
  Lengths lengths;
  for (std::size_t bone = 0; bone < kBones; ++bone) lengths[bone] = bone_length(body, kSkeleton[bone]);
  drop_tiny(lengths);
  return lengths;
}

/// How differently two bodies hold themselves: the mean difference of direction of the bones both show, 0 … 2; the most
/// where they share none. Bones weigh as much as they are long in the first.
double posture_difference(const Body& a, const Body& b) {
  double sum = 0;
  double weight = 0;
  for (const Bone& bone : kSkeleton) {
    const auto length_a = bone_length(a, bone);
    const auto length_b = bone_length(b, bone);
    if (!length_a || !length_b || *length_a == 0 || *length_b == 0) continue;
    const Point way_a = (a.at(bone.tip) - a.at(bone.root)) * (1 / *length_a);
    const Point way_b = (b.at(bone.tip) - b.at(bone.root)) * (1 / *length_b);
    sum += *length_a * distance(way_a, way_b);
    weight += *length_a;
  }
  return weight > 0 ? sum / weight : 2;
}

double median(std::vector<double> values) {
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, place);
  return *place;
}

/// How large the driver is in a frame, against other frames of the same bones; nothing where too little is seen.
std::optional<double> size_of(const Body& body) {
  double sum = 0;
  for (const std::size_t bone : kScaleBones) {
    const auto part = bone_length(body, kSkeleton[bone]);
    if (!part) return std::nullopt;
    sum += *part;
  }
  return sum > 0 ? std::optional(sum) : std::nullopt;
}

/// How large the driver is when the motion begins; nothing where none of the first frames tells.
std::optional<double> opening_size(const std::vector<Body>& bodies) {
  constexpr std::size_t kFrames = 4;
  std::vector<double> sizes;
  for (const Body& body : std::span(bodies).first(std::min(kFrames, bodies.size()))) {
    if (const auto size = size_of(body)) sizes.push_back(*size);
  }
  return sizes.empty() ? std::nullopt : std::optional(median(sizes));
}

/// Each bone's length in the frames in which the driver holds itself most like the reference, where what is turned away
/// from the camera in one is so in the other; as if the driver were always as near to the camera as at the beginning.
Lengths typical_lengths(const std::vector<Body>& bodies, const Body& reference) {
  constexpr std::size_t kFewest = 5;
  constexpr std::size_t kOneOf = 5;
  std::vector<std::pair<double, const Body*>> by_difference;
  for (const Body& body : bodies) by_difference.emplace_back(posture_difference(reference, body), &body);
  std::ranges::stable_sort(by_difference, {}, &std::pair<double, const Body*>::first);
  const std::optional<double> opening = opening_size(bodies);
  Lengths lengths;
  for (std::size_t bone = 0; bone < kBones; ++bone) {
    std::vector<double> samples;
    for (const auto& [difference, body] : by_difference) {
      if (samples.size() >= std::max(kFewest, bodies.size() / kOneOf)) break;
      const auto sample = bone_length(*body, kSkeleton[bone]);
      const auto size = size_of(*body);
      if (sample) samples.push_back(opening && size ? *sample * *opening / *size : *sample);
    }
    if (!samples.empty()) lengths[bone] = median(samples);
  }
  return lengths;
}

/// The first frame's lengths, for the animation begins at the reference picture and is to begin at its size; but the
/// typical ones where the first frame does not show a bone or shows it in an unlikely length.
Lengths driver_lengths(const std::vector<Body>& bodies, const Body& reference) {
  constexpr double kLikely = 1.25;
  Lengths lengths = typical_lengths(bodies, reference);
  for (std::size_t bone = 0; bone < kBones; ++bone) {
    const auto first = bone_length(bodies.front(), kSkeleton[bone]);
    if (!first || !lengths[bone]) continue;
    if (*first < *lengths[bone] * kLikely && *lengths[bone] < *first * kLikely) lengths[bone] = first;
  }
  drop_tiny(lengths);
  return lengths;
}

/// Nothing where the two have none of these bones in common.
template <typename Bones>
std::optional<double> common_scale(const Lengths& reference, const Lengths& driver, const Bones& bones) {
  double goal = 0;
  double source = 0;
  for (const std::size_t bone : bones) {
    if (!reference[bone] || !driver[bone]) continue;
    goal += *reference[bone];
    source += *driver[bone];
  }
  return source > 0 ? std::optional(goal / source) : std::nullopt;
}

constexpr std::array<std::size_t, kBones> all_bones() {
  std::array<std::size_t, kBones> bones{};
  for (std::size_t i = 0; i < kBones; ++i) bones[i] = i;
  return bones;
}

double figure_scale(const Lengths& reference, const Lengths& driver, const ReferencePose& picture,
                    const PoseSequence& motion, std::vector<std::string>& notes) {
  if (const auto scale = common_scale(reference, driver, kScaleBones)) return *scale;
  if (const auto scale = common_scale(reference, driver, all_bones())) {
    notes.emplace_back(
        "reference and motion share no torso, shoulders or head, so their limbs give the figure's scale");
    return *scale;
  }
  notes.emplace_back("reference and motion share no bone, so the heights of their pictures give the figure's scale");
  return static_cast<double>(picture.height) / motion.height;
}

std::vector<BoneRatio> bone_ratios(const Lengths& reference, const Lengths& driver, double scale,
                                   const AlignmentOptions& options) {
  std::array<std::optional<double>, kBones> measured;
  for (std::size_t bone = 0; bone < kBones; ++bone) {
    if (reference[bone] && driver[bone]) measured[bone] = *reference[bone] / (*driver[bone] * scale);
  }
  std::vector<BoneRatio> ratios;
  for (std::size_t bone = 0; bone < kBones; ++bone) {
    BoneRatio ratio{kSkeleton[bone].name, 1, "whole figure"};
    if (measured[bone]) {
      ratio = {ratio.bone, *measured[bone], "measured"};
    } else if (const auto other = measured[other_side(bone)]) {
      ratio = {ratio.bone, *other, "other side"};
    }
    const double limited = std::clamp(ratio.ratio, 1 / options.max_stretch, options.max_stretch);
    if (limited != ratio.ratio) ratio = {ratio.bone, limited, "limited"};
    ratio.ratio = std::pow(ratio.ratio, options.strength);
    ratios.push_back(ratio);
  }
  return ratios;
}

/// Where the similarity that moves the whole figure takes a point.
struct Placement {
  Point from;
  Point to;
  double scale = 1;

  [[nodiscard]] Point operator()(Point p) const { return to + (p - from) * scale; }
};

/// The neck of the first frame that shows it comes to the reference's; where one of them shows none, another point.
Placement place_figure(const Body& reference, const std::vector<Body>& bodies, double scale,
                       std::vector<std::string>& notes) {
  std::vector<std::size_t> anchors{kNeck, kNose, kHips, kRightShoulder, kLeftShoulder, kRightHip, kLeftHip};
  for (std::size_t point = 0; point < kBodyPoints; ++point) anchors.push_back(point);
  for (const std::size_t anchor : anchors) {
    if (!reference.seen(anchor)) continue;
    const auto body = std::ranges::find_if(bodies, [&](const Body& b) { return b.seen(anchor); });
    if (body == bodies.end()) continue;
    if (anchor != kNeck) notes.emplace_back("no neck is seen in both, so another joint says where the figure stands");
    return {body->at(anchor), reference.at(anchor), scale};
  }
  notes.emplace_back("reference and motion show no joint in common, so the figure stays where it is in the motion");
  return {{0, 0}, {0, 0}, scale};
}

/// What hangs on what, parents first.
struct Joint {
  std::size_t point;
  std::size_t parent;
  std::size_t bone;
};
constexpr std::array<Joint, 18> kJoints{{{kNose, kNeck, kNeckBone},
                                         {kRightShoulder, kNeck, kRightShoulderBone},
                                         {kLeftShoulder, kNeck, kLeftShoulderBone},
                                         {kHips, kNeck, kTorsoBone},
                                         {kRightHip, kHips, kRightHipBone},
                                         {kLeftHip, kHips, kLeftHipBone},
                                         {kRightElbow, kRightShoulder, kRightUpperArm},
                                         {kLeftElbow, kLeftShoulder, kLeftUpperArm},
                                         {kRightWrist, kRightElbow, kRightForearm},
                                         {kLeftWrist, kLeftElbow, kLeftForearm},
                                         {kRightKnee, kRightHip, kRightThigh},
                                         {kLeftKnee, kLeftHip, kLeftThigh},
                                         {kRightAnkle, kRightKnee, kRightShin},
                                         {kLeftAnkle, kLeftKnee, kLeftShin},
                                         {kRightEye, kNose, kRightEyeBone},
                                         {kLeftEye, kNose, kLeftEyeBone},
                                         {kRightEar, kRightEye, kRightEarBone},
                                         {kLeftEar, kLeftEye, kLeftEarBone}}};

/// Puts figures together again, bone by bone.
class Rebuilder {
 public:
  Rebuilder(const Placement& place, const std::vector<BoneRatio>& ratios) : place_(place), ratios_(ratios) {}

  [[nodiscard]] Keypoints operator()(const Keypoints& keypoints) const {
    const Body body(keypoints);
    std::array<Point, kPlaces> rebuilt{};
    rebuilt[kNeck] = place_(body.at(kNeck));
    for (const Joint& joint : kJoints) {
      rebuilt[joint.point] = hang(body.at(joint.point), joint.parent, factor(joint.bone), body, rebuilt);
    }
    Keypoints result = keypoints;
    for (std::size_t i = 0; i < kBodyPoints; ++i) result[i].at = rebuilt[i];
    const auto follow = [&](std::size_t first, std::size_t count, std::size_t leader, double factor) {
      for (std::size_t i = first; i < first + count; ++i) {
        result[i].at = hang(keypoints[i].at, leader, factor, body, rebuilt);
      }
    };
    constexpr std::size_t kFootPoints = 3;
    follow(kLeftBigToe, kFootPoints, kLeftAnkle, place_.scale);
    follow(kRightBigToe, kFootPoints, kRightAnkle, place_.scale);
    follow(kFace, kFacePoints, kNose, head_factor());
    follow(kLeftHand, kHandPoints, kLeftWrist, place_.scale);
    follow(kRightHand, kHandPoints, kRightWrist, place_.scale);
    return result;
  }

 private:
  /// A point where it belongs beside its leader, or beside the nearest seen joint above that.
  [[nodiscard]] Point hang(Point point, std::size_t leader, double factor, const Body& body,
                           const std::array<Point, kPlaces>& rebuilt) const {
    if (body.seen(leader)) return rebuilt[leader] + (point - body.at(leader)) * factor;
    for (std::size_t above = parent_of(leader); above != kNobody; above = parent_of(above)) {
      if (body.seen(above)) return rebuilt[above] + (point - body.at(above)) * place_.scale;
    }
    return place_(point);
  }

  static constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();
  static std::size_t parent_of(std::size_t point) {
    const auto* joint = std::ranges::find(kJoints, point, &Joint::point);
    return joint == kJoints.end() ? kNobody : joint->parent;
  }

  /// Pixels of the reference for each pixel of the driver.
  [[nodiscard]] double factor(std::size_t bone) const { return ratios_[bone].ratio * place_.scale; }

  [[nodiscard]] double head_factor() const {
    double sum = 0;
    for (const std::size_t bone : {kRightEyeBone, kLeftEyeBone, kRightEarBone, kLeftEarBone}) {
      sum += factor(bone);
    }
    return sum / 4;
  }

  const Placement& place_;
  const std::vector<BoneRatio>& ratios_;
};

/// How far somebody may go from where they started along one axis, so that points stay between two limits.
class Leash {
 public:
  Leash(double lowest, double highest) : lowest_(lowest), highest_(highest) {}

  /// A point that was moved by `away` from the start.
  void add(double position, double away) {
    const double at_start = position - away;
    // Nothing helps a point that would be outside without any movement.
    if (away == 0 || at_start < lowest_ || at_start > highest_) return;
    if (position >= lowest_ && position <= highest_) return;
    factor_ = std::min(factor_, ((position < lowest_ ? lowest_ : highest_) - at_start) / away);
  }
  [[nodiscard]] double factor() const { return factor_; }

 private:
  double lowest_;
  double highest_;
  double factor_ = 1;
};

/// What must not leave the picture; arms and legs may, as they do in the motion.
constexpr std::array<std::size_t, 6> kTrunk{kNeck, kNose, kRightShoulder, kLeftShoulder, kRightHip, kLeftHip};

/// How far each figure is from where the first one stands, by one point of theirs; evenly between figures that show it.
std::vector<Point> ways(const std::vector<Keypoints*>& figures, std::size_t leader) {
  std::vector<Point> result(figures.size());
  std::optional<Point> start;
  std::size_t before = 0;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const Keypoint& point = (*figures[i])[leader];
    if (!point.seen()) {
      result[i] = result[before];
      continue;
    }
    if (!start) start = point.at;
    result[i] = point.at - *start;
    const Point step = (result[i] - result[before]) * (1.0 / static_cast<double>(std::max<std::size_t>(1, i - before)));
    for (std::size_t between = before + 1; between < i; ++between) result[between] = result[between - 1] + step;
    before = i;
  }
  return result;
}

void keep_inside(PoseSequence& aligned, const ReferencePose& reference, std::vector<std::string>& notes) {
  std::vector<Keypoints*> figures;
  for (PoseFrame& frame : aligned.frames) {
    for (Person& person : frame.people) figures.push_back(&person.keypoints);
  }
  const auto* const leader = std::ranges::find_if(kTrunk, [&](std::size_t point) {
    return std::ranges::any_of(figures, [point](const Keypoints* figure) { return (*figure)[point].seen(); });
  });
  if (leader == kTrunk.end()) return;
  const Point begin{reference.shown.left * reference.width, reference.shown.top * reference.height};
  const Point end{reference.shown.right * reference.width, reference.shown.bottom * reference.height};
  const auto shown = [&](std::size_t i) {
    const Keypoint& p = reference.keypoints[i];
    return p.seen() && p.at.x >= begin.x && p.at.y >= begin.y && p.at.x <= end.x && p.at.y <= end.y;
  };
  const std::vector<Point> away = ways(figures, *leader);
  Leash across(begin.x, end.x);
  Leash down(begin.y, end.y);
  for (std::size_t figure = 0; figure < figures.size(); ++figure) {
    for (const std::size_t i : kTrunk) {
      const Keypoint& point = (*figures[figure])[i];
      if (!point.seen() || !shown(i)) continue;
      across.add(point.at.x, away[figure].x);
      down.add(point.at.y, away[figure].y);
    }
  }
  constexpr double kUnnoticed = 0.995;
  if (across.factor() > kUnnoticed && down.factor() > kUnnoticed) return;
  for (std::size_t figure = 0; figure < figures.size(); ++figure) {
    const Point back{away[figure].x * (across.factor() - 1), away[figure].y * (down.factor() - 1)};
    for (Keypoint& point : *figures[figure]) point.at = point.at + back;
  }
  notes.push_back(
      fmt::format("the figure would leave the picture, so its way is {:.0f} % as wide and {:.0f} % as high as the "
                  "motion's",
                  100 * across.factor(), 100 * down.factor()));
}

}  // namespace

AlignedPoses align_robust(const PoseSequence& motion, const ReferencePose& reference, const AlignmentOptions& options) {
  std::vector<Body> bodies;
  for (const PoseFrame& frame : motion.frames) {
    for (const Person& person : frame.people) bodies.emplace_back(person.keypoints);
  }
  AlignedPoses result{motion, reference.keypoints, {}};
  AlignmentReport& report = result.report;
  report.method = "robust";
  const Body goal(reference.keypoints);
  const Lengths goal_lengths = reference_lengths(goal);
  const Lengths lengths = driver_lengths(bodies, goal);
  const double scale = figure_scale(goal_lengths, lengths, reference, motion, report.notes);
  report.scale_x = scale;
  report.scale_y = scale;
  report.bones = bone_ratios(goal_lengths, lengths, scale, options);
  const Placement place = place_figure(goal, bodies, scale, report.notes);
  const Rebuilder rebuild(place, report.bones);
  for (PoseFrame& frame : result.motion.frames) {
    for (Person& person : frame.people) person.keypoints = rebuild(person.keypoints);
  }
  if (options.keep_inside) keep_inside(result.motion, reference, report.notes);
  return result;
}

}  // namespace unianimate::pose
