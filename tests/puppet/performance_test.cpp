// Procedural people who perform poses from elsewhere.
#include "unianimate/puppet/performance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "unianimate/core/error.h"
#include "unianimate/puppet/clip_poses.h"

namespace unianimate::puppet {
namespace {

constexpr MotionKind kMotions[] = {MotionKind::kDance, MotionKind::kWalk, MotionKind::kWave};
constexpr std::int64_t kFrames = 40;

ClipOptions wide_clip(std::uint64_t seed, MotionKind motion = MotionKind::kDance) {
  ClipOptions options;
  options.seed = seed;
  options.frames = kFrames;
  options.motion = motion;
  return options;
}

/// What a file of the clip's poses would hold.
pose::PoseSequence poses_of_clip(const ClipOptions& options) {
  return poses_of(Clip(options)).motion;
}

/// Unseen, and somewhere else.
void lose(pose::PoseSequence& poses, std::size_t first, std::size_t end) {
  for (pose::PoseFrame& frame : poses.frames) {
    for (std::size_t i = first; i < end; ++i) frame.people.front().keypoints[i] = {{-1000, 5}, 0.1};
  }
}

Clip performed(const ClipOptions& options, const pose::PoseSequence& poses, Bones bones = Bones::kOfPoses) {
  return {options, poses_to_perform(poses, {}, {}), bones};
}

/// Mean over all colours, of 255.
double difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

double largest_distance(const pose::Keypoints& a, const pose::Keypoints& b, std::size_t first, std::size_t end) {
  double largest = 0;
  for (std::size_t i = first; i < end; ++i) largest = std::max(largest, pose::distance(a[i].at, b[i].at));
  return largest;
}

void expect_all_known(const pose::Keypoints& points) {
  for (const pose::Keypoint& point : points) {
    ASSERT_TRUE(std::isfinite(point.at.x) && std::isfinite(point.at.y));
    ASSERT_EQ(point.score, 1);
  }
}

TEST(Performance, OfItsOwnPosesIsNearlyTheSameClip) {
  for (const MotionKind kind : kMotions) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      const ClipOptions options = wide_clip(seed, kind);
      const Clip clip(options);
      const Clip again = performed(options, poses_of_clip(options));
      for (const std::int64_t frame : {0, 13, 39}) {
        EXPECT_LT(largest_distance(clip.keypoints(frame), again.keypoints(frame), 0, pose::kKeypoints), 1.0)
            << "seed " << seed << ", frame " << frame << " of " << motion_name(kind);
        // The rest is the shade of the far limbs, whose side points do not tell where nobody turns.
        EXPECT_LT(difference(clip.frame(frame), again.frame(frame)), 5) << "seed " << seed;
      }
    }
  }
}

TEST(Performance, WhatIsUnseenIsPutWhereItWouldBe) {
  const ClipOptions options = wide_clip(3, MotionKind::kWave);
  const Clip clip(options);
  pose::PoseSequence poses = poses_of_clip(options);
  lose(poses, pose::kBodyPoints, pose::kKeypoints);
  const Clip bare = performed(options, poses);
  const double head = make_identity(options.seed).proportions.head * stage_for(options.width, options.height).height;
  for (const std::int64_t frame : {0, 20}) {
    const pose::Keypoints points = bare.keypoints(frame);
    expect_all_known(points);
    EXPECT_LT(largest_distance(points, clip.keypoints(frame), 0, pose::kLeftHand), head / 2) << "feet and face";
    EXPECT_LT(largest_distance(points, clip.keypoints(frame), pose::kLeftHand, pose::kKeypoints), head) << "hands";
  }
}

TEST(Performance, PeopleStandOnLegsThatNobodySaw) {
  const ClipOptions options = wide_clip(5);
  pose::PoseSequence poses = poses_of_clip(options);
  lose(poses, pose::kRightHip, pose::kRightEye);
  lose(poses, pose::kLeftBigToe, pose::kFace);
  const pose::Keypoints points = performed(options, poses).keypoints(7);
  expect_all_known(points);
  EXPECT_GT(points[pose::kRightHip].at.y, points[pose::kNeck].at.y);
  EXPECT_GT(points[pose::kRightKnee].at.y, points[pose::kRightHip].at.y);
  EXPECT_GT(points[pose::kRightAnkle].at.y, points[pose::kRightKnee].at.y);
  EXPECT_GT(points[pose::kLeftHip].at.x, points[pose::kRightHip].at.x);
}

TEST(Performance, OneSeenPointIsEnough) {
  const ClipOptions options = wide_clip(5);
  pose::PoseSequence poses = poses_of_clip(options);
  lose(poses, 0, pose::kLeftElbow);
  lose(poses, pose::kLeftElbow + 1, pose::kKeypoints);
  expect_all_known(performed(options, poses).keypoints(0));
  expect_all_known(performed(options, poses, Bones::kOfPerson).keypoints(0));
}

TEST(Performance, BonesAreThePosesOrThePersons) {
  const std::uint64_t person = 21;
  const pose::PoseSequence poses = poses_of_clip(wide_clip(4));
  const auto forearm = [](const Clip& clip) {
    const pose::Keypoints points = clip.keypoints(5);
    return pose::distance(points[pose::kRightElbow].at, points[pose::kRightWrist].at);
  };
  EXPECT_NEAR(forearm(performed(wide_clip(person), poses)), forearm(Clip(wide_clip(4))), 0.1);

  const Clip own = performed(wide_clip(person), poses, Bones::kOfPerson);
  const double thigh_to_forearm =
      pose::distance(own.keypoints(5)[pose::kRightHip].at, own.keypoints(5)[pose::kRightKnee].at) / forearm(own);
  const Proportions& proportions = make_identity(person).proportions;
  EXPECT_NEAR(thigh_to_forearm, proportions.thigh / proportions.forearm, 0.02);
}

TEST(Performance, PosesOfAnotherFormatAreScaledIntoTheMiddle) {
  const ClipOptions options = wide_clip(4);
  pose::PoseSequence wide = poses_of_clip(options);
  wide.width *= 2;
  const pose::Keypoints points = performed(options, wide).keypoints(0);
  const pose::Keypoints original = Clip(options).keypoints(0);
  EXPECT_NEAR(points[pose::kNeck].at.x, original[pose::kNeck].at.x / 2, 0.5);
  EXPECT_NEAR(points[pose::kNeck].at.y, original[pose::kNeck].at.y / 2 + options.height / 4.0, 0.5);
}

TEST(Performance, GapsAreHeldAndEndsStandStill) {
  const ClipOptions options = wide_clip(6);
  const pose::PoseSequence poses = poses_of_clip(options);
  pose::PoseSequence holed = poses;
  for (std::size_t i = 10; i < 35; ++i) holed.frames[i].people.clear();
  holed.frames[0].people.clear();
  const Clip clip = performed(options, holed);
  EXPECT_EQ(clip.frame(0), clip.frame(1));
  EXPECT_EQ(clip.frame(12), clip.frame(9));
  EXPECT_EQ(clip.frame(37), performed(options, poses).frame(37));
  EXPECT_EQ(clip.frame(kFrames + 5), clip.frame(kFrames - 1));
  EXPECT_EQ(clip.frame(-3), clip.frame(0));

  for (pose::PoseFrame& frame : holed.frames) frame.people.clear();
  EXPECT_THROW(poses_to_perform(holed, {}, {}), Error);
}

TEST(Performance, TheRateIsTheFilesUnlessAnotherIsWanted) {
  pose::PoseSequence poses = poses_of_clip(wide_clip(6));
  EXPECT_EQ(poses_to_perform(poses, {}, {}).frames_per_second, 16);
  EXPECT_EQ(poses_to_perform(poses, {}, 32).frames.size(), 2U * kFrames - 1);
  EXPECT_THROW(poses_to_perform(poses, {}, 0), Error);
  poses.frames_per_second = 0;
  EXPECT_EQ(poses_to_perform(poses, {}, {}).frames_per_second, 16);
}

TEST(Performance, WalkersAreNearOnTheSideTheyShow) {
  int left = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const ClipOptions options = wide_clip(seed, MotionKind::kWalk);
    const Performance performance(poses_to_perform(poses_of_clip(options), {}, {}), Bones::kOfPoses,
                                  make_identity(seed), options.width, options.height);
    const Posture truth = Motion(MotionKind::kWalk, seed).at(1);
    const Posture judged = performance.at(1).posture;
    EXPECT_EQ(judged.near_side, truth.near_side) << seed;
    EXPECT_TRUE(judged.arm_behind);
    EXPECT_NEAR(judged.turn, truth.turn, 0.1);
    left += truth.near_side == kLeft ? 1 : 0;
  }
  EXPECT_GT(left, 0);
  EXPECT_LT(left, 8);
}

TEST(Performance, WhoTurnsAwayShowsAnUprightFace) {
  const ClipOptions options = wide_clip(9, MotionKind::kWave);
  pose::PoseSequence poses = poses_of_clip(options);
  for (pose::PoseFrame& frame : poses.frames) {
    pose::Keypoints& points = frame.people.front().keypoints;
    const double middle = points[pose::kNeck].at.x;
    for (pose::Keypoint& point : points) point.at.x = 2 * middle - point.at.x;
  }
  const pose::Keypoints points = performed(options, poses).keypoints(3);
  EXPECT_GT(points[pose::kRightShoulder].at.x, points[pose::kLeftShoulder].at.x) << "seen from behind";
  EXPECT_LT(points[pose::kRightEar].at.x, points[pose::kLeftEar].at.x);
  EXPECT_LT(points[pose::kRightEye].at.y, points[pose::kNeck].at.y);
}

TEST(Performance, TheReferenceIsTheMomentSeenBest) {
  const ClipOptions options = wide_clip(2, MotionKind::kWave);
  pose::PoseSequence poses = poses_of_clip(options);
  for (std::size_t i = 0; i < poses.frames.size(); ++i) {
    if (i == 17) continue;
    for (std::size_t point = pose::kLeftHand; point < pose::kKeypoints; ++point)
      poses.frames[i].people.front().keypoints[point].score = 0;
  }
  const pose::PoseSequence whole = poses_to_perform(poses, {}, {});
  const Clip clip(options, whole, Bones::kOfPoses);
  EXPECT_EQ(clip.reference(), clip.frame(17));
}

TEST(ParseBones, TakesTwoWords) {
  EXPECT_EQ(fields::parse_word<Bones>("the bones", "poses"), Bones::kOfPoses);
  EXPECT_EQ(fields::parse_word<Bones>("the bones", "person"), Bones::kOfPerson);
  EXPECT_THROW(fields::parse_word<Bones>("the bones", "dinosaur"), Error);
}

}  // namespace
}  // namespace unianimate::puppet
