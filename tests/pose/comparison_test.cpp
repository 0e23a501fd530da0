#include "unianimate/pose/align/comparison.h"

#include <gtest/gtest.h>

#include "pose/walker.h"
#include "unianimate/core/error.h"

namespace unianimate::pose {
namespace {

constexpr int kWidth = 300;
constexpr int kHeight = 500;
constexpr std::size_t kFrames = 10;

PoseSequence made() {
  return testing::walk({}, kFrames, {150, 100}, {1, 0}, kWidth, kHeight);
}

Keypoints& person(PoseSequence& sequence, std::size_t frame) {
  return sequence.frames[frame].people.front().keypoints;
}

const JointComparison& joint(const PoseComparison& comparison, const std::string& name) {
  for (const JointComparison& row : comparison.joints) {
    if (row.joint == name) return row;
  }
  throw std::runtime_error("no joint " + name);
}

TEST(ComparePoses, OfEqualPosesIsZero) {
  const PoseComparison same = compare_poses(made(), made());
  EXPECT_EQ(same.frames, static_cast<std::int64_t>(kFrames));
  EXPECT_EQ(same.all.compared, static_cast<std::int64_t>(20 * kFrames));
  EXPECT_EQ(same.all.mean, 0);
  EXPECT_EQ(same.all.largest, 0);
  EXPECT_EQ(same.all.within_2_percent, 1);
  EXPECT_EQ(same.all.within_5_percent, 1);
  EXPECT_EQ(same.joints.size(), 20);
}

TEST(ComparePoses, MeasuresSharesOfTheHeight) {
  PoseSequence other = made();
  // 1, 2, …, 10 hundredths of the height
  for (std::size_t i = 0; i < kFrames; ++i) {
    person(other, i)[kLeftKnee].at.x += 0.01 * kHeight * static_cast<double>(i + 1);
  }
  const PoseComparison comparison = compare_poses(other, made());
  const JointComparison& knee = joint(comparison, "left knee");
  EXPECT_EQ(knee.compared, 10);
  EXPECT_NEAR(knee.mean, 0.055, 1e-9);
  EXPECT_NEAR(knee.median, 0.06, 1e-9);
  EXPECT_NEAR(knee.largest, 0.1, 1e-9);
  EXPECT_NEAR(knee.within_2_percent, 0.2, 0.1001) << "the second is at the limit, up to rounding";
  EXPECT_NEAR(knee.within_5_percent, 0.5, 0.1001);
  EXPECT_EQ(joint(comparison, "right knee").largest, 0);
  EXPECT_NEAR(comparison.all.mean, 0.055 / 20, 1e-9);
  EXPECT_NEAR(comparison.all.largest, 0.1, 1e-9);
}

TEST(ComparePoses, CountsWhatOnlyOneShows) {
  PoseSequence first = made();
  PoseSequence second = made();
  for (const std::size_t i : {0, 1, 2}) testing::hide(person(first, i), kNose);
  testing::hide(person(second, 2), kNose);
  testing::hide(person(second, 3), kNose);
  second.frames[9].people.clear();
  const PoseComparison comparison = compare_poses(first, second);
  const JointComparison& nose = joint(comparison, "nose");
  EXPECT_EQ(nose.compared, 5);
  EXPECT_EQ(nose.only_first, 2);
  EXPECT_EQ(nose.only_second, 2);
  EXPECT_EQ(comparison.all.only_first, 1 + 20);
  EXPECT_EQ(comparison.all.only_second, 2);
}

TEST(ComparePoses, ToesCountWhereBothOfAFootAreSeen) {
  PoseSequence other = made();
  for (std::size_t i = 0; i < kFrames; ++i) testing::hide(person(other, i), kLeftSmallToe);
  const PoseComparison comparison = compare_poses(other, made());
  EXPECT_EQ(joint(comparison, "left toes").compared, 0);
  EXPECT_EQ(joint(comparison, "left toes").mean, 0);
  EXPECT_EQ(joint(comparison, "right toes").compared, static_cast<std::int64_t>(kFrames));
}

TEST(ComparePoses, StretchesTheFirstToTheSecond) {
  PoseSequence larger = made();
  larger.width *= 2;
  larger.height *= 3;
  for (PoseFrame& frame : larger.frames) {
    for (Keypoint& point : frame.people.front().keypoints) point.at = {point.at.x * 2, point.at.y * 3};
  }
  EXPECT_NEAR(compare_poses(larger, made()).all.largest, 0, 1e-9);
  EXPECT_NEAR(compare_poses(made(), larger).all.largest, 0, 1e-9);
}

TEST(ComparePoses, GoesAsFarAsTheShorter) {
  PoseSequence shorter = made();
  shorter.frames.resize(4);
  EXPECT_EQ(compare_poses(shorter, made()).frames, 4);
  EXPECT_EQ(compare_poses(made(), shorter).frames, 4);
}

TEST(ComparePoses, RefusesWhatHasNothingInCommon) {
  PoseSequence nobody = made();
  for (PoseFrame& frame : nobody.frames) frame.people.clear();
  EXPECT_THROW(static_cast<void>(compare_poses(nobody, made())), Error);
  EXPECT_THROW(static_cast<void>(compare_poses(made(), nobody)), Error);
  nobody.frames.clear();
  EXPECT_THROW(static_cast<void>(compare_poses(nobody, made())), Error);
}

}  // namespace
}  // namespace unianimate::pose
