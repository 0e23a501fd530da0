#include "unianimate/pose/align/published_alignment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace unianimate::pose {

namespace {

constexpr Point kUnseen{-1, -1};

enum class Hand { kNone, kLeft, kRight };

/// A bone, and what hangs on its tip.
struct PublishedBone {
  const char* name;
  std::size_t tip;
  std::size_t root;
  std::vector<std::size_t> moved;
  Hand hand = Hand::kNone;
};

/// In the order the published tool works them off, which matters: each sees what those before it moved.
const std::vector<PublishedBone>& bones() {
  static const std::vector<PublishedBone> list{
      {"neck", kNose, kNeck, {kNose, kRightEye, kLeftEye, kRightEar, kLeftEar}},
      {"right shoulder", kRightShoulder, kNeck, {kRightShoulder, kRightElbow, kRightWrist}, Hand::kRight},
      {"left shoulder", kLeftShoulder, kNeck, {kLeftShoulder, kLeftElbow, kLeftWrist}, Hand::kLeft},
      {"right upper arm", kRightElbow, kRightShoulder, {kRightElbow, kRightWrist}, Hand::kRight},
      {"right forearm", kRightWrist, kRightElbow, {kRightWrist}, Hand::kRight},
      {"left upper arm", kLeftElbow, kLeftShoulder, {kLeftElbow, kLeftWrist}, Hand::kLeft},
      {"left forearm", kLeftWrist, kLeftElbow, {kLeftWrist}, Hand::kLeft},
      {"nose to right eye", kRightEye, kNose, {kRightEye, kRightEar}},
      {"nose to left eye", kLeftEye, kNose, {kLeftEye, kLeftEar}},
      {"right eye to ear", kRightEar, kRightEye, {kRightEar}},
      {"left eye to ear", kLeftEar, kLeftEye, {kLeftEar}},
      {"right thigh", kRightKnee, kRightHip, {kRightKnee, kRightAnkle, kRightToes}},
      {"right shin", kRightAnkle, kRightKnee, {kRightAnkle, kRightToes}},
      {"left thigh", kLeftKnee, kLeftHip, {kLeftKnee, kLeftAnkle, kLeftToes}},
      {"left shin", kLeftAnkle, kLeftKnee, {kLeftAnkle, kLeftToes}},
  };
  return list;
}

template <typename Change>
void change_every_point(PublishedPose& pose, const Change& change) {
  for (Point& point : pose.body) point = change(point);
  for (Point& point : pose.face) point = change(point);
  for (auto& hand : pose.hands) {
    for (Point& point : hand) point = change(point);
  }
}

void stretch(PublishedPose& pose, const PublishedBone& bone, double ratio) {
  const Point offset = (pose.body[bone.root] - pose.body[bone.tip]) * (1 - ratio);
  for (const std::size_t i : bone.moved) pose.body[i] = pose.body[i] + offset;
  if (bone.hand == Hand::kNone) return;
  for (Point& point : pose.hands[bone.hand == Hand::kLeft ? 0 : 1]) point = point + offset;
}

/// Names of what has an end that one of the two does not show.
std::vector<const char*> measured_on_unseen(const PublishedPose& reference, const PublishedPose& first) {
  std::vector<const char*> names;
  const auto check = [&](const char* name, std::initializer_list<std::size_t> ends) {
    const auto both_show = [&](std::size_t point) { return reference.seen[point] && first.seen[point]; };
    if (!std::ranges::all_of(ends, both_show)) names.push_back(name);
  };
  check("line of the shoulders", {kRightShoulder, kLeftShoulder});
  check("torso", {kRightShoulder, kLeftShoulder, kRightHip, kLeftHip});
  for (const PublishedBone& bone : bones()) check(bone.name, {bone.root, bone.tip});
  return names;
}

}  // namespace

PublishedPose to_published(const Keypoints& keypoints, int width, int height) {
  const auto normalized = [&](std::size_t i) {
    if (!keypoints[i].seen()) return kUnseen;
    return Point{keypoints[i].at.x / width, keypoints[i].at.y / height};
  };
  PublishedPose pose;
  for (std::size_t i = 0; i < kBodyPoints; ++i) {
    pose.body[i] = normalized(i);
    pose.seen[i] = keypoints[i].seen();
  }
  const auto add_toes = [&](std::size_t toes, std::size_t big, std::size_t small) {
    pose.seen[toes] = keypoints[big].seen() && keypoints[small].seen();
    pose.body[toes] = pose.seen[toes] ? middle(normalized(big), normalized(small)) : kUnseen;
  };
  add_toes(kLeftToes, kLeftBigToe, kLeftSmallToe);
  add_toes(kRightToes, kRightBigToe, kRightSmallToe);
  for (std::size_t i = 0; i < kFacePoints; ++i) pose.face[i] = normalized(kFace + i);
  for (std::size_t i = 0; i < kHandPoints; ++i) {
    pose.hands[0][i] = normalized(kLeftHand + i);
    pose.hands[1][i] = normalized(kRightHand + i);
  }
  return pose;
}

Keypoints from_published(const PublishedPose& pose, int width, int height) {
  const auto in_pixels = [&](Point p, bool seen) { return Keypoint{{p.x * width, p.y * height}, seen ? 1.0 : 0.0}; };
  Keypoints keypoints{};
  for (std::size_t i = 0; i < kBodyPoints; ++i) keypoints[i] = in_pixels(pose.body[i], pose.seen[i]);
  for (const std::size_t toe : {kLeftBigToe, kLeftSmallToe}) {
    keypoints[toe] = in_pixels(pose.body[kLeftToes], pose.seen[kLeftToes]);
  }
  for (const std::size_t toe : {kRightBigToe, kRightSmallToe}) {
    keypoints[toe] = in_pixels(pose.body[kRightToes], pose.seen[kRightToes]);
  }
  // The tool takes these for seen where both coordinates are over a hundredth of a pixel.
  const auto taken_for_seen = [&](Point p) {
    constexpr double kEdge = 0.01;
    return in_pixels(p, p.x * width > kEdge && p.y * height > kEdge);
  };
  for (std::size_t i = 0; i < kFacePoints; ++i) keypoints[kFace + i] = taken_for_seen(pose.face[i]);
  for (std::size_t i = 0; i < kHandPoints; ++i) {
    keypoints[kLeftHand + i] = taken_for_seen(pose.hands[0][i]);
    keypoints[kRightHand + i] = taken_for_seen(pose.hands[1][i]);
  }
  return keypoints;
}

AlignmentReport align_published(std::span<PublishedPose> poses, const PublishedPose& reference) {
  AlignmentReport report;
  report.method = "published";
  if (poses.empty()) return report;
  const auto usable = [&](double ratio, const char* name) {
    if (std::isfinite(ratio)) return ratio;
    report.notes.push_back(
        fmt::format("the {} has no length in the motion's first frame, so its ratio is taken as 1", name));
    return 1.0;
  };
  PublishedPose& first = poses.front();
  if (const auto doubtful = measured_on_unseen(reference, first); !doubtful.empty()) {
    report.notes.push_back(
        fmt::format("not all ends are seen in the reference and in the motion's first frame of {}, which the published "
                    "method measures all the same; the robust method does not",
                    fmt::join(doubtful, ", ")));
  }
  const auto shoulders = [](const PublishedPose& p) { return p.body[kLeftShoulder].x - p.body[kRightShoulder].x; };
  const auto torso = [](const PublishedPose& p) {
    return middle(p.body[kRightHip], p.body[kLeftHip]).y - middle(p.body[kRightShoulder], p.body[kLeftShoulder]).y;
  };
  report.scale_x = usable(shoulders(reference) / shoulders(first), "line of the shoulders");
  report.scale_y = usable(torso(reference) / torso(first), "torso");
  for (PublishedPose& pose : poses) {
    change_every_point(pose, [&](Point p) { return Point{p.x * report.scale_x, p.y * report.scale_y}; });
  }
  for (const PublishedBone& bone : bones()) {
    const auto bone_length = [&](const PublishedPose& p) { return distance(p.body[bone.tip], p.body[bone.root]); };
    const double ratio = usable(bone_length(reference) / bone_length(first), bone.name);
    report.bones.push_back({bone.name, ratio, "first frame"});
    for (PublishedPose& pose : poses) stretch(pose, bone, ratio);
  }
  const Point offset = reference.body[kNeck] - first.body[kNeck];
  for (PublishedPose& pose : poses) {
    change_every_point(pose, [&](Point p) { return p + offset; });
  }
  return report;
}

}  // namespace unianimate::pose
