#include "unianimate/pose/align/comparison.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "unianimate/core/error.h"

namespace unianimate::pose {

namespace {

constexpr std::array<const char*, kDrawnPoints> kNames{
    "nose",       "neck",      "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
    "left wrist", "right hip", "right knee",     "right ankle", "left hip",    "left knee",     "left ankle",
    "right eye",  "left eye",  "right ear",      "left ear",    "left toes",   "right toes"};

JointComparison summary(std::string name, std::vector<double> distances) {
  JointComparison result;
  result.joint = std::move(name);
  result.compared = static_cast<std::int64_t>(distances.size());
  if (distances.empty()) return result;
  std::ranges::sort(distances);
  const auto count = static_cast<double>(distances.size());
  const auto share_within = [&](double limit) {
    return static_cast<double>(std::ranges::upper_bound(distances, limit) - distances.begin()) / count;
  };
  constexpr double kClose = 0.02;
  constexpr double kNear = 0.05;
  result.mean = std::accumulate(distances.begin(), distances.end(), 0.0) / count;
  result.median = distances[distances.size() / 2];
  result.largest = distances.back();
  result.within_2_percent = share_within(kClose);
  result.within_5_percent = share_within(kNear);
  return result;
}

}  // namespace

PoseComparison compare_poses(const PoseSequence& first, const PoseSequence& second) {
  const std::size_t frames = std::min(first.frames.size(), second.frames.size());
  const double factor_x = static_cast<double>(second.width) / first.width;
  const double factor_y = static_cast<double>(second.height) / first.height;
  PoseComparison result;
  result.frames = static_cast<std::int64_t>(frames);
  std::vector<double> all;
  JointComparison total;
  for (std::size_t joint = 0; joint < kNames.size(); ++joint) {
    std::vector<double> distances;
    std::int64_t only_first = 0;
    std::int64_t only_second = 0;
    for (std::size_t frame = 0; frame < frames; ++frame) {
      const auto point = [&](const PoseSequence& sequence) {
        const std::vector<Person>& people = sequence.frames[frame].people;
        return people.empty() ? Keypoint{} : drawn_point(people.front().keypoints, joint);
      };
      const Keypoint a = point(first);
      const Keypoint b = point(second);
      only_first += a.seen() && !b.seen() ? 1 : 0;
      only_second += b.seen() && !a.seen() ? 1 : 0;
      if (!a.seen() || !b.seen()) continue;
      distances.push_back(distance({a.at.x * factor_x, a.at.y * factor_y}, b.at) / second.height);
    }
    all.insert(all.end(), distances.begin(), distances.end());
    JointComparison& row = result.joints.emplace_back(summary(kNames[joint], std::move(distances)));
    row.only_first = only_first;
    row.only_second = only_second;
    total.only_first += only_first;
    total.only_second += only_second;
  }
  if (all.empty()) {
    throw Error(ErrorKind::kInput, "the two pose sequences have no joint that both show in the same frame");
  }
  result.all = summary("all", std::move(all));
  result.all.only_first = total.only_first;
  result.all.only_second = total.only_second;
  return result;
}

}  // namespace unianimate::pose
