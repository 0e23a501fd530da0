#include "unianimate/puppet/performance.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "unianimate/core/error.h"
#include "unianimate/pose/align/alignment.h"
#include "unianimate/pose/align/timing.h"
#include "unianimate/puppet/posture_estimate.h"

namespace unianimate::puppet {

namespace {

using pose::Keypoints;
using pose::Point;
using pose::PoseSequence;

/// The poses' picture as large as it goes into the middle of the clip's.
PoseSequence scaled_into(PoseSequence poses, int width, int height) {
  const double scale = std::min(static_cast<double>(width) / poses.width, static_cast<double>(height) / poses.height);
  const Point margin = Point{width - scale * poses.width, height - scale * poses.height} * 0.5;
  for (pose::PoseFrame& frame : poses.frames) {
    for (pose::Person& person : frame.people) {
      for (pose::Keypoint& point : person.keypoints) point.at = margin + point.at * scale;
    }
  }
  poses.width = width;
  poses.height = height;
  return poses;
}

PoseSequence with_bones_of(const PoseSequence& poses, const Identity& identity, int width, int height) {
  // People of flesh and blood move further, and their feet point at the viewer.
  constexpr double kRoom = 0.92;
  Stage stage = stage_for(width, height);
  stage.height *= kRoom;
  pose::AlignmentOptions options;
  options.canvas.width = width;
  options.canvas.height = height;
  const pose::ReferencePose upright{place_body(Posture{}, identity, stage), width, height};
  return pose::align_poses(poses, upright, options).motion;
}

/// How much is seen, then how wide the shoulders are.
std::tuple<std::ptrdiff_t, double> view_of(const pose::PoseFrame& frame) {
  if (frame.people.empty() || frame.people.front().filled) return {0, 0.0};
  const Keypoints& points = frame.people.front().keypoints;
  const auto count = std::ranges::count_if(points, [](const pose::Keypoint& point) { return point.seen(); });
  const bool shoulders = points[pose::kRightShoulder].seen() && points[pose::kLeftShoulder].seen();
  return {count, shoulders ? points[pose::kLeftShoulder].at.x - points[pose::kRightShoulder].at.x : 0.0};
}

/// The side that the body turns towards the viewer is near. A body that turns back a little keeps its near side, so
/// that nothing flickers.
void judge_depth(std::vector<Stance>& stances) {
  constexpr double kClearTurn = 0.6;
  constexpr double kNoTurn = 0.4;
  const double all_turns = std::accumulate(stances.begin(), stances.end(), 0.0,
                                           [](double sum, const Stance& stance) { return sum + stance.posture.turn; });
  Side near_side = all_turns > 0 ? kRight : kLeft;
  bool arm_behind = false;
  for (Stance& stance : stances) {
    const double turn = stance.posture.turn;
    if (std::abs(turn) > kClearTurn) {
      near_side = turn > 0 ? kRight : kLeft;
      arm_behind = true;
    } else if (std::abs(turn) < kNoTurn) {
      arm_behind = false;
    }
    stance.posture.near_side = near_side;
    stance.posture.arm_behind = arm_behind;
  }
}

}  // namespace

PoseSequence poses_to_perform(const PoseSequence& everybody, const pose::PersonChoice& choice,
                              std::optional<double> frames_per_second) {
  PoseSequence poses = pose::choose_person(everybody, choice);
  if (poses.frames_per_second <= 0) poses.frames_per_second = pose::kUntoldFramesPerSecond;
  poses.frames_per_second = pose::rate_of_times(poses);
  const pose::HeldPauses pauses = pose::hold_pauses(poses, pose::kGapSeconds);
  pose::fill_gaps(poses, pose::kGapSeconds);
  PoseSequence even = pose::resample(poses, frames_per_second.value_or(poses.frames_per_second));
  even.notes = pose::describe(pauses);
  return even;
}

Performance::Performance(const PoseSequence& poses, Bones bones, const Identity& identity, int width, int height)
    : frames_per_second_(poses.frames_per_second) {
  const PoseSequence placed =
      bones == Bones::kOfPoses ? scaled_into(poses, width, height) : with_bones_of(poses, identity, width, height);
  const Stage stage = stage_for(width, height);
  const BodySize size = measure_body(placed, identity.proportions, stage.height);
  Stance stance{Posture{}, place_body(Posture{}, identity, stage), stage.height};
  stances_.reserve(placed.frames.size());
  for (const pose::PoseFrame& frame : placed.frames) {
    if (!frame.people.empty()) stance = estimate_stance(frame.people.front().keypoints, identity, size, stance);
    stances_.push_back(stance);
  }
  judge_depth(stances_);
  const auto best = std::ranges::max_element(placed.frames, {}, view_of);
  reference_ = static_cast<std::size_t>(best - placed.frames.begin());
}

Stance Performance::at(double seconds) const {
  const auto last = static_cast<double>(stances_.size() - 1);
  return stances_[static_cast<std::size_t>(std::clamp(std::round(seconds * frames_per_second_), 0.0, last))];
}

}  // namespace unianimate::puppet
