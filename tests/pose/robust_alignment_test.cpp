// Properties that alignment keeps whatever is seen of driver and reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "pose/walker.h"
#include "unianimate/core/error.h"
#include "unianimate/pose/align/alignment.h"
#include "unianimate/pose/align/timing.h"

namespace unianimate::pose {
namespace {

using testing::Build;
using testing::hide;
using testing::kPublishedBones;
using testing::walk;
using testing::walker;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kTolerance = 1e-6;
constexpr std::size_t kFrames = 6;

/// What is hidden together: each point of the body alone, each hand and the face as a whole.
struct Part {
  std::size_t first;
  std::size_t count;
};
std::vector<Part> parts() {
  std::vector<Part> list;
  for (std::size_t i = 0; i < kFace; ++i) list.push_back({i, 1});
  list.push_back({kFace, kFacePoints});
  list.push_back({kLeftHand, kHandPoints});
  list.push_back({kRightHand, kHandPoints});
  return list;
}

PoseSequence driver(std::size_t frames = kFrames) {
  return walk(Build{}, frames, {300, 120}, {12, 3}, 640, 480);
}

/// Another body in a picture of another aspect, other proportions within the default stretch.
Build reference_build() {
  Build build = testing::scaled({}, 1.7);
  build.neck *= 1.2;
  build.shoulder *= 0.9;
  build.torso *= 1.1;
  build.upper_arm *= 0.8;
  build.forearm *= 0.9;
  build.thigh *= 1.25;
  build.shin *= 1.15;
  build.eye *= 1.3;
  build.ear *= 0.8;
  return build;
}

ReferencePose reference() {
  constexpr int kWidth = 600;
  constexpr int kHeight = 1000;
  return {walker(reference_build(), {290, 210}, 0.4), kWidth, kHeight};
}

/// A canvas of the reference's size, on which lengths can be compared.
AlignmentOptions on_reference(AlignmentMethod method = AlignmentMethod::kRobust) {
  AlignmentOptions options;
  options.method = method;
  options.canvas.width = reference().width;
  options.canvas.height = reference().height;
  options.keep_inside = false;
  return options;
}

void expect_sound(const AlignedPoses& poses) {
  testing::expect_finite(poses.reference);
  EXPECT_TRUE(std::isfinite(poses.report.scale_x));
  EXPECT_TRUE(std::isfinite(poses.report.scale_y));
  for (const BoneRatio& bone : poses.report.bones) EXPECT_TRUE(std::isfinite(bone.ratio)) << bone.bone;
  for (const PoseFrame& frame : poses.motion.frames) {
    EXPECT_TRUE(std::isfinite(frame.seconds));
    for (const Person& person : frame.people) testing::expect_finite(person.keypoints);
  }
}

void expect_reference_bones(const AlignedPoses& poses) {
  const auto length_of = [](const Keypoints& k, std::size_t tip, std::size_t root) {
    return distance(k[tip].at, k[root].at);
  };
  for (std::size_t i = 0; i < poses.motion.frames.size(); ++i) {
    const Keypoints& found = poses.motion.frames[i].people.front().keypoints;
    for (const auto& [tip, root] : kPublishedBones) {
      const bool both_seen =
          found[tip].seen() && found[root].seen() && poses.reference[tip].seen() && poses.reference[root].seen();
      if (!both_seen) continue;
      EXPECT_NEAR(length_of(found, tip, root), length_of(poses.reference, tip, root), kTolerance)
          << "frame " << i << ", bone " << root << " - " << tip;
    }
  }
}

void expect_same_place(Point found, Point expected) {
  EXPECT_NEAR(found.x, expected.x, kTolerance);
  EXPECT_NEAR(found.y, expected.y, kTolerance);
}

void expect_neck_on_reference(const AlignedPoses& poses) {
  for (const PoseFrame& frame : poses.motion.frames) {
    if (frame.people.empty() || !frame.people.front().keypoints[kNeck].seen()) continue;
    expect_same_place(frame.people.front().keypoints[kNeck].at, poses.reference[kNeck].at);
    return;
  }
}

void expect_same_seen_points(const AlignedPoses& a, const AlignedPoses& b) {
  for (std::size_t i = 0; i < a.motion.frames.size(); ++i) {
    const Keypoints& one = a.motion.frames[i].people.front().keypoints;
    const Keypoints& other = b.motion.frames[i].people.front().keypoints;
    for (std::size_t point = 0; point < kKeypoints; ++point) {
      ASSERT_EQ(one[point].seen(), other[point].seen()) << "frame " << i << ", point " << point;
      if (one[point].seen()) {
        ASSERT_EQ(one[point].at, other[point].at) << "frame " << i << ", point " << point;
      }
    }
  }
}

enum class Where { kEverywhere, kFirstFrame, kSecondHalf, kReference };

class HiddenPart : public ::testing::TestWithParam<Where> {
 protected:
  static void hide_in(PoseSequence& motion, ReferencePose& picture, Part part) {
    const std::size_t frames = motion.frames.size();
    const std::size_t first = GetParam() == Where::kSecondHalf ? frames / 2 : 0;
    const std::size_t end = GetParam() == Where::kFirstFrame ? 1 : frames;
    if (GetParam() == Where::kReference) return hide(picture.keypoints, part.first, part.count);
    for (std::size_t i = first; i < end; ++i) {
      hide(motion.frames[i].people.front().keypoints, part.first, part.count);
    }
  }
};

TEST_P(HiddenPart, LeavesBonesAndNeckAsTheReferencesInRobustAlignment) {
  for (const Part part : parts()) {
    SCOPED_TRACE("part " + std::to_string(part.first));
    PoseSequence motion = driver();
    ReferencePose picture = reference();
    hide_in(motion, picture, part);
    const AlignedPoses poses = align_poses(motion, picture, on_reference());
    expect_sound(poses);
    expect_reference_bones(poses);
    if (picture.keypoints[kNeck].seen()) expect_neck_on_reference(poses);
  }
}

TEST_P(HiddenPart, IsNeverDrawnInRobustAlignment) {
  for (const Part part : parts()) {
    PoseSequence motion = driver();
    ReferencePose picture = reference();
    hide_in(motion, picture, part);
    const AlignedPoses poses = align_poses(motion, picture, on_reference());
    for (std::size_t i = 0; i < motion.frames.size(); ++i) {
      for (std::size_t point = 0; point < kKeypoints; ++point) {
        const auto score = [&](const PoseSequence& s) { return s.frames[i].people.front().keypoints[point].score; };
        EXPECT_EQ(score(poses.motion), score(motion)) << "part " << part.first << ", frame " << i;
      }
    }
  }
}

TEST_P(HiddenPart, IsFiniteAfterFillingGapsAndSmoothing) {
  for (const Part part : parts()) {
    for (const AlignmentMethod method : {AlignmentMethod::kRobust, AlignmentMethod::kPublished}) {
      PoseSequence motion = driver();
      ReferencePose picture = reference();
      hide_in(motion, picture, part);
      fill_gaps(motion, 1);
      smooth(motion);
      AlignmentOptions options;
      options.method = method;
      const AlignedPoses poses = align_poses(resample(motion, 24), picture, options);
      expect_sound(poses);
      if (picture.keypoints[kNeck].seen() && motion.frames.front().people.front().keypoints[kNeck].seen()) {
        expect_neck_on_reference(poses);
      }
    }
  }
}

TEST_P(HiddenPart, CanBeAnywhereWithoutChangingWhatIsSeen) {
  for (const AlignmentMethod method : {AlignmentMethod::kRobust, AlignmentMethod::kPublished}) {
    for (const Part part : parts()) {
      SCOPED_TRACE("part " + std::to_string(part.first));
      PoseSequence motion = walk({}, kFrames, {300, 120}, {120, 90}, 640, 480);
      ReferencePose picture = reference();
      hide_in(motion, picture, part);
      const auto with_unseen_at = [&](Point place) {
        PoseSequence moved = motion;
        ReferencePose moved_picture = picture;
        const auto move = [&](Keypoints& keypoints) {
          for (Keypoint& point : keypoints) {
            if (!point.seen()) point.at = place;
          }
        };
        for (PoseFrame& frame : moved.frames) move(frame.people.front().keypoints);
        move(moved_picture.keypoints);
        AlignmentOptions options;  // which keep the figure inside
        options.method = method;
        return align_poses(moved, moved_picture, options);
      };
      const AlignedPoses there = with_unseen_at({0, 0});
      for (const Point place : {Point{1e9, -1e9}, Point{400, 200}, Point{kNaN, kNaN}}) {
        const AlignedPoses elsewhere = with_unseen_at(place);
        expect_sound(elsewhere);
        expect_same_seen_points(there, elsewhere);
      }
    }
  }
}

TEST_P(HiddenPart, DrawsThePictureWithoutIt) {
  for (const AlignmentMethod method : {AlignmentMethod::kRobust, AlignmentMethod::kPublished}) {
    for (const Part part : parts()) {
      PoseSequence motion = driver(2);
      ReferencePose picture = reference();
      hide_in(motion, picture, part);
      AlignmentOptions options;
      options.method = method;
      const AlignedPoses poses = align_poses(motion, picture, options);
      if (picture.keypoints[kNeck].seen() || method == AlignmentMethod::kRobust) {
        const Image first =
            draw_pose(poses.motion.frames.front().people.front().keypoints, kCanvasWidth, kCanvasHeight);
        EXPECT_TRUE(std::ranges::any_of(first.pixels, [](std::uint8_t value) { return value > 0; })) << part.first;
      }
      Keypoints elsewhere = poses.reference;
      for (Keypoint& point : elsewhere) {
        if (!point.seen()) point.at = {kNaN, 1e300};
      }
      EXPECT_EQ(draw_pose(elsewhere, kCanvasWidth, kCanvasHeight),
                draw_pose(poses.reference, kCanvasWidth, kCanvasHeight));
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<Where>& where) {
  switch (where.param) {
    case Where::kEverywhere:
      return "Everywhere";
    case Where::kFirstFrame:
      return "InTheFirstFrame";
    case Where::kSecondHalf:
      return "InTheSecondHalf";
    default:
      return "InTheReference";
  }
}
INSTANTIATE_TEST_SUITE_P(Alignment, HiddenPart,
                         ::testing::Values(Where::kEverywhere, Where::kFirstFrame, Where::kSecondHalf,
                                           Where::kReference),
                         name_of);

// ---- what options do

TEST(RobustAlignment, GivesTheReferencesBonesOnAnyAspect) {
  for (const auto& [width, height] : {std::pair{640, 480}, {480, 640}, {1920, 200}, {100, 2000}}) {
    PoseSequence motion = driver();
    motion.width = width;
    motion.height = height;
    const AlignedPoses poses = align_poses(motion, reference(), on_reference());
    expect_sound(poses);
    expect_reference_bones(poses);
    expect_neck_on_reference(poses);
  }
}

TEST(RobustAlignment, StretchesWithTheCanvas) {
  const AlignedPoses plain = align_poses(driver(), reference(), on_reference());
  AlignmentOptions options = on_reference();
  options.canvas.width *= 2;
  options.canvas.height *= 3;
  const AlignedPoses stretched = align_poses(driver(), reference(), options);
  for (std::size_t i = 0; i < kFrames; ++i) {
    for (std::size_t point = 0; point < kKeypoints; ++point) {
      const Point before = plain.motion.frames[i].people.front().keypoints[point].at;
      expect_same_place(stretched.motion.frames[i].people.front().keypoints[point].at, {before.x * 2, before.y * 3});
    }
  }
}

TEST(RobustAlignment, WithoutStrengthKeepsTheDriversProportions) {
  AlignmentOptions options = on_reference();
  options.strength = 0;
  const PoseSequence motion = driver();
  const AlignedPoses poses = align_poses(motion, reference(), options);
  const double scale = poses.report.scale_x;
  EXPECT_NEAR(scale, 1.7 * (110 * 1.1 + 2 * 36 * 0.9) / (110 + 2 * 36), kTolerance);
  for (std::size_t i = 0; i < kFrames; ++i) {
    const Keypoints& before = motion.frames[i].people.front().keypoints;
    const Keypoints& after = poses.motion.frames[i].people.front().keypoints;
    for (std::size_t point = 0; point < kKeypoints; ++point) {
      expect_same_place(after[point].at - after[kNeck].at, (before[point].at - before[kNeck].at) * scale);
    }
  }
}

TEST(RobustAlignment, HalfTheStrengthTakesTheGeometricMean) {
  const auto thigh = [](double strength) {
    AlignmentOptions options = on_reference();
    options.strength = strength;
    const AlignedPoses poses = align_poses(driver(), reference(), options);
    const Keypoints& found = poses.motion.frames.back().people.front().keypoints;
    return distance(found[kRightHip].at, found[kRightKnee].at);
  };
  EXPECT_NEAR(thigh(0.5), std::sqrt(thigh(0) * thigh(1)), kTolerance);
}

TEST(RobustAlignment, LimitsHowFarABoneIsStretched) {
  ReferencePose picture = reference();
  Build build = reference_build();
  build.upper_arm *= 6;
  build.shin /= 6;
  picture.keypoints = walker(build, {290, 210}, 0);
  AlignmentOptions options = on_reference();
  options.max_stretch = 1.4;
  const AlignedPoses poses = align_poses(driver(), picture, options);
  const Keypoints& found = poses.motion.frames.back().people.front().keypoints;
  const double scale = poses.report.scale_x;
  EXPECT_NEAR(distance(found[kRightShoulder].at, found[kRightElbow].at), Build{}.upper_arm * scale * 1.4, kTolerance);
  EXPECT_NEAR(distance(found[kLeftKnee].at, found[kLeftAnkle].at), Build{}.shin * scale / 1.4, kTolerance);
  for (const BoneRatio& bone : poses.report.bones) {
    const bool far = bone.bone.ends_with("upper arm") || bone.bone.ends_with("shin");
    EXPECT_EQ(bone.source == "limited", far) << bone.bone;
    EXPECT_LE(bone.ratio, 1.4 + kTolerance);
    EXPECT_GE(bone.ratio, 1 / 1.4 - kTolerance);
  }
}

TEST(RobustAlignment, HandsFeetAndFaceFollowTheirJoints) {
  const PoseSequence motion = driver();
  const AlignedPoses poses = align_poses(motion, reference(), on_reference());
  const Keypoints& before = motion.frames.back().people.front().keypoints;
  const Keypoints& after = poses.motion.frames.back().people.front().keypoints;
  const double scale = poses.report.scale_x;
  for (const auto& [first, count, leader] : {std::tuple{kLeftHand, kHandPoints, kLeftWrist},
                                             {kRightHand, kHandPoints, kRightWrist},
                                             {kLeftBigToe, std::size_t{3}, kLeftAnkle},
                                             {kRightBigToe, std::size_t{3}, kRightAnkle}}) {
    for (std::size_t i = first; i < first + count; ++i) {
      expect_same_place(after[i].at - after[leader].at, (before[i].at - before[leader].at) * scale);
    }
  }
}

TEST(RobustAlignment, AHandWithoutItsWristHangsOnTheArm) {
  PoseSequence motion = driver();
  for (PoseFrame& frame : motion.frames) hide(frame.people.front().keypoints, kLeftWrist);
  ReferencePose picture = reference();
  picture.keypoints = walker({.upper_arm = 100, .forearm = 90}, {290, 210}, 0);
  const AlignedPoses poses = align_poses(motion, picture, on_reference());
  const Keypoints& before = motion.frames.back().people.front().keypoints;
  const Keypoints& after = poses.motion.frames.back().people.front().keypoints;
  for (std::size_t i = kLeftHand; i < kLeftHand + kHandPoints; ++i) {
    expect_same_place(after[i].at - after[kLeftElbow].at,
                      (before[i].at - before[kLeftElbow].at) * poses.report.scale_x);
  }
}

TEST(RobustAlignment, TakesAHiddenBonesRatioFromTheOtherSide) {
  ReferencePose picture = reference();
  hide(picture.keypoints, kRightWrist);
  const AlignedPoses poses = align_poses(driver(), picture, on_reference());
  const auto bone = [&](const std::string& name) {
    return *std::ranges::find(poses.report.bones, name, &BoneRatio::bone);
  };
  EXPECT_EQ(bone("right forearm").source, "other side");
  EXPECT_EQ(bone("right forearm").ratio, bone("left forearm").ratio);
  EXPECT_EQ(bone("left forearm").source, "measured");
}

TEST(RobustAlignment, TakesAnUnlikelyFirstFrameFromTheOthers) {
  PoseSequence motion = driver(20);
  Keypoints& first = motion.frames.front().people.front().keypoints;
  first[kRightWrist].at = first[kRightElbow].at + (first[kRightWrist].at - first[kRightElbow].at) * 0.2;
  const AlignedPoses poses = align_poses(motion, reference(), on_reference());
  const Keypoints& found = poses.motion.frames.back().people.front().keypoints;
  EXPECT_NEAR(distance(found[kRightElbow].at, found[kRightWrist].at), reference_build().forearm, kTolerance);
}

// ---- staying inside

constexpr std::array<std::size_t, 6> kTrunk{kNose, kNeck, kRightShoulder, kLeftShoulder, kRightHip, kLeftHip};

bool trunk_is_inside(const AlignedPoses& poses) {
  return std::ranges::all_of(poses.motion.frames, [&](const PoseFrame& frame) {
    return std::ranges::all_of(kTrunk, [&](std::size_t i) {
      const Keypoint& point = frame.people.front().keypoints[i];
      return !point.seen() ||
             (point.at.x >= -kTolerance && point.at.y >= -kTolerance && point.at.x <= poses.motion.width + kTolerance &&
              point.at.y <= poses.motion.height + kTolerance);
    });
  });
}

TEST(RobustAlignment, KeepsTheTrunkInsideWhereAsked) {
  for (const Point step : {Point{40, 0}, Point{-40, 5}, Point{0, 60}, Point{3, -70}, Point{90, 90}}) {
    const PoseSequence motion = walk({}, 20, {300, 120}, step, 2000, 2000);
    AlignmentOptions options;
    options.keep_inside = false;
    EXPECT_FALSE(trunk_is_inside(align_poses(motion, reference(), options)));
    options.keep_inside = true;
    const AlignedPoses kept = align_poses(motion, reference(), options);
    EXPECT_TRUE(trunk_is_inside(kept)) << step.x << ", " << step.y;
    expect_neck_on_reference(kept);
    EXPECT_FALSE(kept.report.notes.empty());
  }
}

TEST(RobustAlignment, KeepsTheTrunkInsideWhatTheVideoShows) {
  ReferencePose picture = reference();
  const PoseSequence motion = walk({}, 20, {300, 120}, {12, 0}, 2000, 2000);
  AlignmentOptions options = on_reference();
  options.keep_inside = true;
  const AlignedPoses whole = align_poses(motion, picture, options);
  picture.shown = {0.2, 0, 0.75, 1};
  const AlignedPoses kept = align_poses(motion, picture, options);
  const auto rightmost = [](const AlignedPoses& poses) {
    double x = 0;
    for (const PoseFrame& frame : poses.motion.frames) {
      for (const std::size_t i : kTrunk) x = std::max(x, frame.people.front().keypoints[i].at.x);
    }
    return x;
  };
  EXPECT_GT(rightmost(whole), 0.75 * picture.width + 10);
  EXPECT_NEAR(rightmost(kept), 0.75 * picture.width, 1);
  expect_neck_on_reference(kept);
}

TEST(RobustAlignment, KeepsInsideThoughNecksAreUnseen) {
  const PoseSequence whole = walk({}, 20, {300, 120}, {40, 0}, 2000, 2000);
  PoseSequence motion = whole;
  for (const std::size_t frame : {3, 4, 11, 19}) {
    Keypoints& keypoints = motion.frames[frame].people.front().keypoints;
    hide(keypoints, kNeck);
    keypoints[kNeck].at = {};
  }
  const AlignedPoses expected = align_poses(whole, reference(), {});
  const AlignedPoses found = align_poses(motion, reference(), {});
  EXPECT_TRUE(trunk_is_inside(found));
  // Without the neck the others hang on nothing, which moves them a little; a jump would be hundreds of pixels.
  constexpr double kLittle = 60;
  for (std::size_t i = 0; i < motion.frames.size(); ++i) {
    for (const std::size_t point : {kRightShoulder, kLeftShoulder, kRightWrist}) {
      EXPECT_LT(distance(found.motion.frames[i].people.front().keypoints[point].at,
                         expected.motion.frames[i].people.front().keypoints[point].at),
                kLittle)
          << "frame " << i << ", point " << point;
    }
  }
}

TEST(RobustAlignment, BeginsWhereTheReferenceStandsThoughItShowsNoNeck) {
  ReferencePose picture = reference();
  hide(picture.keypoints, kNeck);
  const PoseSequence motion = walk({}, 20, {300, 120}, {40, 40}, 2000, 2000);
  AlignmentOptions options;
  options.keep_inside = false;
  const AlignedPoses free = align_poses(motion, picture, options);
  options.keep_inside = true;
  const AlignedPoses kept = align_poses(motion, picture, options);
  EXPECT_TRUE(trunk_is_inside(kept));
  const auto first = [](const AlignedPoses& poses) { return poses.motion.frames.front().people.front().keypoints; };
  for (std::size_t i = 0; i < kKeypoints; ++i) expect_same_place(first(kept)[i].at, first(free)[i].at);
}

// ---- odd people

ReferencePose half_length() {
  ReferencePose picture = reference();
  for (const std::size_t point : {kRightHip, kRightKnee, kRightAnkle, kLeftHip, kLeftKnee, kLeftAnkle}) {
    hide(picture.keypoints, point);
  }
  hide(picture.keypoints, kLeftBigToe, 6);
  return picture;
}

ReferencePose seated() {
  Build build = reference_build();
  build.thigh *= 0.15;  // towards the camera
  return {walker(build, {290, 210}, 0), 600, 1000};
}

TEST(RobustAlignment, TakesAHalfLengthReferencesScaleFromItsShoulders) {
  const AlignedPoses poses = align_poses(driver(), half_length(), on_reference());
  expect_sound(poses);
  expect_reference_bones(poses);
  expect_neck_on_reference(poses);
  EXPECT_NEAR(poses.report.scale_x, 1.7 * 0.9, kTolerance);
  const Keypoints& found = poses.motion.frames.front().people.front().keypoints;
  EXPECT_NEAR(distance(found[kRightHip].at, found[kRightKnee].at), Build{}.thigh * 1.7 * 0.9, kTolerance);
}

TEST(RobustAlignment, LimitsTheThighsOfASeatedReference) {
  const AlignedPoses poses = align_poses(driver(), seated(), on_reference());
  expect_sound(poses);
  expect_neck_on_reference(poses);
  const Keypoints& found = poses.motion.frames.front().people.front().keypoints;
  EXPECT_NEAR(distance(found[kRightHip].at, found[kRightKnee].at), Build{}.thigh * poses.report.scale_x / 1.8,
              kTolerance);
}

using MakeKeypoints = std::function<Keypoints(std::size_t frame)>;

PoseSequence motion_of(const MakeKeypoints& make, std::size_t frames = 4) {
  PoseSequence motion{640, 480, 16, "made", {}};
  for (std::size_t i = 0; i < frames; ++i) motion.frames.push_back({static_cast<double>(i) / 16, {{make(i)}}});
  return motion;
}

Keypoints every_point(Point at, double score = 0.9) {
  Keypoints keypoints{};
  keypoints.fill({at, score});
  return keypoints;
}

Keypoints only(std::initializer_list<std::size_t> seen) {
  Keypoints keypoints = walker({}, {300, 120}, 0);
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    if (std::ranges::find(seen, i) == seen.end()) keypoints[i].score = 0;
  }
  return keypoints;
}

std::vector<Keypoints> odd_people() {
  std::vector<Keypoints> people{every_point({0, 0}),
                                every_point({300, 120}),
                                every_point({-50, -80}),
                                every_point({1e9, 1e9}),
                                every_point({}, 0),
                                walker({}, {-500, -500}, 0.3),
                                walker(testing::scaled({}, 1e-6), {300, 120}, 0),
                                walker(testing::scaled({}, 3e6), {0, 0}, 0),
                                only({kNose}),
                                only({kLeftWrist}),
                                only({kNose, kNeck}),
                                only({kRightElbow, kRightWrist}),
                                half_length().keypoints,
                                seated().keypoints};
  Keypoints upside_down = walker({}, {300, 300}, 0);
  for (Keypoint& point : upside_down) point.at.y = 480 - point.at.y;
  people.push_back(upside_down);
  Keypoints lying = walker({}, {100, 200}, 0);
  for (Keypoint& point : lying) point.at = {point.at.y, point.at.x};
  people.push_back(lying);
  Keypoints flat = walker({}, {300, 120}, 0);
  for (Keypoint& point : flat) point.at.x = 300;
  people.push_back(flat);
  Keypoints one_far_away = walker({}, {300, 120}, 0);
  one_far_away[kLeftElbow].at = {-1e9, 1e9};
  people.push_back(one_far_away);
  return people;
}

TEST(Alignment, OfOddPeopleIsFiniteAndCanBeDrawn) {
  const std::vector<Keypoints> people = odd_people();
  for (const AlignmentMethod method : {AlignmentMethod::kRobust, AlignmentMethod::kPublished}) {
    for (std::size_t reference = 0; reference < people.size(); ++reference) {
      for (std::size_t moving = 0; moving < people.size(); ++moving) {
        SCOPED_TRACE(std::to_string(moving) + " to " + std::to_string(reference));
        AlignmentOptions options;
        options.method = method;
        const PoseSequence motion = motion_of([&](std::size_t i) { return people[(moving + i) % people.size()]; }, 2);
        const AlignedPoses poses = align_poses(motion, {people[reference], 600, 1000}, options);
        expect_sound(poses);
        constexpr int kSmall = 64;
        for (const PoseFrame& frame : poses.motion.frames) {
          EXPECT_NO_THROW(static_cast<void>(draw_pose(frame.people.front().keypoints, kSmall, kSmall)));
        }
      }
    }
  }
}

TEST(Alignment, OfNoiseIsFinite) {
  constexpr unsigned kSeeds = 200;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 generator(seed);
    const double size = std::pow(10.0, std::uniform_real_distribution(-9.0, 9.0)(generator));
    std::uniform_real_distribution<double> place(-size, size);
    std::uniform_real_distribution<double> score(0, 1);
    const auto noise = [&](std::size_t) {
      Keypoints keypoints;
      for (Keypoint& point : keypoints) point = {{place(generator), place(generator)}, score(generator)};
      return keypoints;
    };
    for (const AlignmentMethod method : {AlignmentMethod::kRobust, AlignmentMethod::kPublished}) {
      AlignmentOptions options;
      options.method = method;
      expect_sound(align_poses(motion_of(noise), {noise(0), 600, 1000}, options));
    }
  }
}

TEST(Alignment, OfOneFrameIsTheReferencesFigure) {
  for (const AlignmentMethod method : {AlignmentMethod::kRobust, AlignmentMethod::kPublished}) {
    const AlignedPoses poses = align_poses(driver(1), reference(), on_reference(method));
    ASSERT_EQ(poses.motion.frames.size(), 1);
    expect_sound(poses);
    expect_neck_on_reference(poses);
  }
}

TEST(Alignment, LeavesFramesOfNobodyEmpty) {
  for (const AlignmentMethod method : {AlignmentMethod::kRobust, AlignmentMethod::kPublished}) {
    PoseSequence motion = driver();
    motion.frames[0].people.clear();
    motion.frames[3].people.clear();
    const AlignedPoses poses = align_poses(motion, reference(), on_reference(method));
    ASSERT_EQ(poses.motion.frames.size(), kFrames);
    EXPECT_TRUE(poses.motion.frames[0].people.empty());
    EXPECT_TRUE(poses.motion.frames[3].people.empty());
    expect_sound(poses);
    expect_neck_on_reference(poses);
  }
}

TEST(Alignment, OfNobodyAtAllIsRefusedWithTheNumberOfFrames) {
  PoseSequence motion = driver();
  for (PoseFrame& frame : motion.frames) frame.people.clear();
  for (const AlignmentMethod method : {AlignmentMethod::kRobust, AlignmentMethod::kPublished}) {
    try {
      static_cast<void>(align_poses(motion, reference(), on_reference(method)));
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find("6 frames"), std::string::npos) << error.what();
    }
  }
}

TEST(Alignment, NothingInCommonIsNotedAndFinite) {
  const PoseSequence motion = motion_of([](std::size_t) { return only({kRightElbow, kRightWrist}); });
  const AlignedPoses poses = align_poses(motion, {only({kNose, kNeck, kLeftEye}), 600, 1000}, {});
  expect_sound(poses);
  EXPECT_FALSE(poses.report.notes.empty());
}

TEST(Alignment, StandsOnAnyJointThatAnyFrameShares) {
  PoseSequence motion = motion_of([](std::size_t) { return only({kRightElbow, kRightWrist}); });
  motion.frames[2].people.front().keypoints = only({kRightWrist, kLeftKnee});
  const ReferencePose picture{only({kLeftKnee, kLeftAnkle}), 600, 1000};
  AlignmentOptions options = on_reference();
  const AlignedPoses poses = align_poses(motion, picture, options);
  expect_same_place(poses.motion.frames[2].people.front().keypoints[kLeftKnee].at, picture.keypoints[kLeftKnee].at);
}

TEST(Alignment, OptionsOutOfRangeAreRefused) {
  const auto refused = [](const std::function<void(AlignmentOptions&)>& change) {
    AlignmentOptions options;
    change(options);
    EXPECT_THROW(static_cast<void>(align_poses(driver(), reference(), options)), Error);
  };
  for (const double value : {-0.1, 1.1, kNaN}) refused([=](AlignmentOptions& o) { o.strength = value; });
  for (const double value : {0.9, 10.1, kNaN}) refused([=](AlignmentOptions& o) { o.max_stretch = value; });
  for (const int value : {15, 8193, 0, -1}) {
    refused([=](AlignmentOptions& o) { o.canvas.width = value; });
    refused([=](AlignmentOptions& o) { o.canvas.height = value; });
  }
  EXPECT_EQ(fields::parse_word<AlignmentMethod>("it", "published"), AlignmentMethod::kPublished);
  EXPECT_EQ(fields::parse_word<AlignmentMethod>("it", "robust"), AlignmentMethod::kRobust);
  EXPECT_THROW(static_cast<void>(fields::parse_word<AlignmentMethod>("it", "Robust")), Error);
}

// ---- the published method

bool mentions(const AlignedPoses& poses, const std::string& word) {
  return std::ranges::any_of(poses.report.notes,
                             [&](const std::string& note) { return note.find(word) != std::string::npos; });
}

TEST(PublishedAlignment, NotesWhatHasNoLength) {
  PoseSequence motion = driver();
  // Both ends of the bone at (-1, -1): as the published tool holds what is unseen.
  for (const std::size_t point : {kLeftElbow, kLeftWrist}) hide(motion.frames.front().people.front().keypoints, point);
  const AlignedPoses poses = align_poses(motion, reference(), on_reference(AlignmentMethod::kPublished));
  expect_sound(poses);
  EXPECT_TRUE(mentions(poses, "left forearm has no length"));
  EXPECT_FALSE(mentions(poses, "right forearm"));
}

TEST(PublishedAlignment, NotesWhatIsMeasuredOnUnseenPoints) {
  const AlignmentOptions options = on_reference(AlignmentMethod::kPublished);
  EXPECT_TRUE(align_poses(driver(), reference(), options).report.notes.empty());
  const AlignedPoses half = align_poses(driver(), half_length(), options);
  expect_sound(half);
  for (const char* const name : {"torso", "left thigh", "right shin"}) EXPECT_TRUE(mentions(half, name)) << name;
  for (const char* const name : {"shoulder", "forearm"}) EXPECT_FALSE(mentions(half, name)) << name;
  PoseSequence motion = driver();
  hide(motion.frames[3].people.front().keypoints, kNose);
  EXPECT_TRUE(align_poses(motion, reference(), options).report.notes.empty()) << "later frames are not measured";
}

TEST(PublishedAlignment, SurvivesAFirstFrameSeenFromTheSide) {
  PoseSequence motion = driver();
  Keypoints& first = motion.frames.front().people.front().keypoints;
  first[kLeftShoulder].at = first[kRightShoulder].at;
  first[kNeck].at = first[kRightShoulder].at;
  const AlignedPoses poses = align_poses(motion, reference(), on_reference(AlignmentMethod::kPublished));
  expect_sound(poses);
  EXPECT_FALSE(poses.report.notes.empty());
  expect_neck_on_reference(poses);
}

TEST(PublishedAlignment, OfTheSamePersonMovesNothing) {
  const PoseSequence motion = driver();
  AlignmentOptions options;
  options.method = AlignmentMethod::kPublished;
  options.canvas.width = motion.width;
  options.canvas.height = motion.height;
  const AlignedPoses poses =
      align_poses(motion, {motion.frames.front().people.front().keypoints, motion.width, motion.height}, options);
  for (std::size_t i = 0; i < kFrames; ++i) {
    for (std::size_t point = 0; point < kBodyPoints; ++point) {
      expect_same_place(poses.motion.frames[i].people.front().keypoints[point].at,
                        motion.frames[i].people.front().keypoints[point].at);
    }
  }
}

}  // namespace
}  // namespace unianimate::pose
