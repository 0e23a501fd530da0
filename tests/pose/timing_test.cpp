#include "unianimate/pose/align/timing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "pose/walker.h"
#include "unianimate/core/error.h"

namespace unianimate::pose {
namespace {

constexpr double kTolerance = 1e-9;
constexpr double kClear = 0.9;

/// Every point moves on its own straight line: point i is at (i + 10·i·t, 50 − 3·t).
Point place_of(std::size_t point, double seconds) {
  const auto i = static_cast<double>(point);
  return {i + 10 * i * seconds, 50 - 3 * seconds};
}

Keypoints moving(double seconds) {
  Keypoints keypoints;
  for (std::size_t i = 0; i < kKeypoints; ++i) keypoints[i] = {place_of(i, seconds), kClear};
  return keypoints;
}

PoseSequence at_times(const std::vector<double>& seconds, double frames_per_second = 16) {
  PoseSequence sequence{640, 480, frames_per_second, "made", {}};
  for (const double time : seconds) sequence.frames.push_back({time, {{moving(time), 4}}});
  return sequence;
}

PoseSequence at_rate(std::size_t frames, double frames_per_second) {
  std::vector<double> seconds;
  for (std::size_t i = 0; i < frames; ++i) seconds.push_back(static_cast<double>(i) / frames_per_second);
  return at_times(seconds, frames_per_second);
}

Keypoints& person(PoseSequence& sequence, std::size_t frame) {
  return sequence.frames[frame].people.front().keypoints;
}

void expect_on_lines(const PoseFrame& frame, double offset = 0) {
  ASSERT_EQ(frame.people.size(), 1);
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    const Keypoint& found = frame.people.front().keypoints[i];
    const Point expected = place_of(i, frame.seconds + offset);
    ASSERT_NEAR(found.at.x, expected.x, 1e-6) << i;
    ASSERT_NEAR(found.at.y, expected.y, 1e-6) << i;
    ASSERT_EQ(found.score, kClear);
  }
}

using Numbers = std::vector<std::int64_t>;

// ---- pauses

/// Twelve frames, a pause, twelve frames, 16 a second.
PoseSequence with_pause(double pause_seconds) {
  std::vector<double> seconds;
  for (int i = 0; i < 12; ++i) seconds.push_back(i / 16.0);
  const double start = seconds.back() + pause_seconds;
  for (int i = 0; i < 12; ++i) seconds.push_back(start + i / 16.0);
  return at_times(seconds);
}

TEST(HoldPauses, TheLastPoseStandsUntilTheNext) {
  PoseSequence sequence = with_pause(81 / 16.0);
  const HeldPauses pauses = hold_pauses(sequence, 0.5);
  EXPECT_EQ(pauses.count, 1);
  EXPECT_TRUE(pauses.cuts.empty());
  const PoseSequence even = resample(sequence, 16);
  ASSERT_EQ(even.frames.size(), 104U);
  for (std::size_t i = 0; i < 104; ++i) {
    const double seen = i < 12 || i >= 92 ? static_cast<double>(i) / 16 : 11 / 16.0;
    EXPECT_NEAR(even.frames[i].people.front().keypoints[5].at.x, place_of(5, seen).x, 1e-6) << i;
    EXPECT_FALSE(even.frames[i].people.front().filled);
  }
}

TEST(HoldPauses, ALongPauseIsCut) {
  PoseSequence sequence = with_pause(3600);
  const HeldPauses pauses = hold_pauses(sequence, 0.5);
  ASSERT_EQ(pauses.cuts.size(), 1U);
  EXPECT_NEAR(pauses.cuts.front().removed_seconds, 3590, 1e-9);
  EXPECT_NEAR(sequence.frames.back().seconds, 11 / 16.0 + kLongestPauseSeconds + 11 / 16.0, 1e-9);
  EXPECT_EQ(resample(sequence, 16).frames.size(), 12U + 160 - 1 + 12);
  EXPECT_EQ(pauses.uncut(0.5), 0.5);
  EXPECT_EQ(pauses.uncut(5), 5);
  EXPECT_NEAR(pauses.uncut(11 / 16.0 + kLongestPauseSeconds), 11 / 16.0 + 3600, 1e-9);
  EXPECT_EQ(describe(pauses).size(), 2U);
}

TEST(HoldPauses, ShortPausesAndSlowMotionsAreNone) {
  for (PoseSequence sequence : {with_pause(0.5), at_rate(10, 16), at_times({0, 1, 2, 4, 5}, 1)}) {
    const std::size_t frames = sequence.frames.size();
    const HeldPauses pauses = hold_pauses(sequence, 0.5);
    EXPECT_EQ(pauses.count, 0);
    EXPECT_EQ(sequence.frames.size(), frames);
    EXPECT_TRUE(describe(pauses).empty());
  }
}

TEST(HoldPauses, FramesOfPicturesShownForAMinuteEach) {
  PoseSequence sequence = at_times({0, 60, 120}, 0.1);
  EXPECT_EQ(hold_pauses(sequence, 0.5).cuts.size(), 2U);
  EXPECT_EQ(resample(sequence, 0.1).frames.size(), 3U);
}

// ---- gaps

TEST(FillGaps, PutsAPersonBetweenTheFramesAround) {
  PoseSequence sequence = at_rate(10, 16);
  for (const std::size_t i : {3, 4, 5}) sequence.frames[i].people.clear();
  const FilledGaps gaps = fill_gaps(sequence, 0.25);
  EXPECT_EQ(gaps.interpolated, (Numbers{3, 4, 5}));
  EXPECT_TRUE(gaps.held.empty());
  for (std::size_t i = 0; i < 10; ++i) {
    expect_on_lines(sequence.frames[i]);
    EXPECT_EQ(sequence.frames[i].people.front().filled, i >= 3 && i <= 5) << i;
    EXPECT_EQ(sequence.frames[i].people.front().track, 4);
  }
}

TEST(FillGaps, HoldsTheNearestPoseInLongerGaps) {
  PoseSequence sequence = at_rate(10, 16);
  for (const std::size_t i : {3, 4, 5, 6}) sequence.frames[i].people.clear();
  const FilledGaps gaps = fill_gaps(sequence, 0.25);
  EXPECT_TRUE(gaps.interpolated.empty());
  EXPECT_EQ(gaps.held, (Numbers{3, 4, 5, 6}));
  for (const auto& [frame, source] : {std::pair{3, 2}, {4, 2}, {5, 7}, {6, 7}}) {
    EXPECT_EQ(person(sequence, frame)[kNose].at, person(sequence, source)[kNose].at);
    EXPECT_TRUE(sequence.frames[frame].people.front().filled);
  }
}

TEST(FillGaps, HoldsAtBothEnds) {
  PoseSequence sequence = at_rate(8, 16);
  for (const std::size_t i : {0, 1, 6, 7}) sequence.frames[i].people.clear();
  const FilledGaps gaps = fill_gaps(sequence, 10);
  EXPECT_EQ(gaps.held, (Numbers{0, 1, 6, 7}));
  EXPECT_EQ(person(sequence, 0)[kLeftWrist].at, person(sequence, 2)[kLeftWrist].at);
  EXPECT_EQ(person(sequence, 7)[kLeftWrist].at, person(sequence, 5)[kLeftWrist].at);
}

TEST(FillGaps, GoesByTimesNotByFrames) {
  PoseSequence sequence = at_times({0, 0.1, 0.7, 0.8});
  sequence.frames[1].people.clear();
  EXPECT_EQ(fill_gaps(sequence, 0.5).held, Numbers{1});
  EXPECT_EQ(person(sequence, 1)[kNose].at, person(sequence, 0)[kNose].at);
  sequence = at_times({0, 0.1, 0.7, 0.8});
  sequence.frames[1].people.clear();
  EXPECT_EQ(fill_gaps(sequence, 0.71).interpolated, Numbers{1});
  expect_on_lines(sequence.frames[1]);
}

TEST(FillGaps, PutsSinglePointsBetweenSightings) {
  PoseSequence sequence = at_rate(12, 16);
  for (const std::size_t i : {2, 3, 4}) {
    person(sequence, i)[kLeftWrist] = {{-999, 999}, 0.1};
    person(sequence, i)[kRightHand + 5] = {{-999, 999}, 0};
  }
  for (const std::size_t i : {0, 5, 6, 7, 8, 11}) person(sequence, i)[kRightKnee] = {{7, 7}, 0.1};
  const FilledGaps gaps = fill_gaps(sequence, 0.25);
  EXPECT_TRUE(gaps.interpolated.empty()) << "only whole people are told of";
  for (const std::size_t i : {2, 3, 4}) {
    person(sequence, i)[kRightKnee] = {place_of(kRightKnee, sequence.frames[i].seconds), kClear};
    expect_on_lines(sequence.frames[i]);
    EXPECT_FALSE(sequence.frames[i].people.front().filled);
  }
  for (const std::size_t i : {0, 5, 6, 7, 8, 11}) {
    EXPECT_EQ(person(sequence, i)[kRightKnee].at, (Point{7, 7})) << "an end, or over the limit: frame " << i;
    EXPECT_FALSE(person(sequence, i)[kRightKnee].seen());
  }
}

TEST(FillGaps, CarriesHandsAlongWithTheirWrists) {
  PoseSequence sequence = at_rate(9, 16);
  for (std::size_t i = 0; i < 9; ++i) {
    const Point wrist{100, i < 4 ? 200.0 : 300.0};
    person(sequence, i)[kLeftWrist].at = wrist;
    person(sequence, i)[kLeftHand].at = wrist + Point{5, 1};
    if (i >= 2 && i <= 6) testing::hide(person(sequence, i), kLeftHand);
  }
  fill_gaps(sequence, 1);
  for (std::size_t i = 0; i < 9; ++i) {
    const Point from_wrist = person(sequence, i)[kLeftHand].at - person(sequence, i)[kLeftWrist].at;
    EXPECT_NEAR(from_wrist.x, 5, kTolerance) << i;
    EXPECT_NEAR(from_wrist.y, 1, kTolerance) << i;
  }
}

TEST(FillGaps, PutsHandsBetweenSightingsWhereTheWristIsUnseen) {
  for (const std::size_t without_wrist : {1, 4, 7}) {
    PoseSequence sequence = at_rate(9, 16);
    for (std::size_t i = 0; i < 9; ++i) {
      if (i >= 2 && i <= 6) person(sequence, i)[kLeftHand] = {{-999, 999}, 0};
    }
    // Too long a gap for the wrist, which is anywhere meanwhile.
    for (std::size_t i = 0; i < 9; ++i) {
      if (without_wrist == 4 || i == 0 || i == without_wrist) person(sequence, i)[kLeftWrist] = {{9000, 50.0 * i}, 0};
    }
    fill_gaps(sequence, 0.4);
    for (std::size_t i = 1; i < 8; ++i) {
      const Point expected = place_of(kLeftHand, sequence.frames[i].seconds);
      EXPECT_NEAR(person(sequence, i)[kLeftHand].at.x, expected.x, 1e-6) << i;
      EXPECT_NEAR(person(sequence, i)[kLeftHand].at.y, expected.y, 1e-6) << i;
    }
  }
}

TEST(FillGaps, WithoutAnybodyDoesNothing) {
  PoseSequence sequence{640, 480, 16, "made", std::vector<PoseFrame>(4)};
  const FilledGaps gaps = fill_gaps(sequence, 1);
  EXPECT_TRUE(gaps.interpolated.empty() && gaps.held.empty());
  for (const PoseFrame& frame : sequence.frames) EXPECT_TRUE(frame.people.empty());
  sequence.frames.clear();
  EXPECT_NO_THROW(fill_gaps(sequence, 1));
}

TEST(FillGaps, OfNoLengthHoldsEverything) {
  PoseSequence sequence = at_rate(5, 16);
  sequence.frames[2].people.clear();
  EXPECT_EQ(fill_gaps(sequence, 0).held, Numbers{2});
}

// ---- rates

TEST(Resample, KeepsStraightMotionExactlyAtAnyRate) {
  for (const double rate : {8.0, 16.0, 24.0, 30.0, 30000.0 / 1001, 60.0, 1.0, 0.5}) {
    const PoseSequence resampled = resample(at_rate(33, 16), rate);
    EXPECT_EQ(resampled.frames_per_second, rate);
    EXPECT_EQ(resampled.frames.size(), static_cast<std::size_t>(std::floor(2 * rate + 1e-6)) + 1) << rate;
    for (std::size_t i = 0; i < resampled.frames.size(); ++i) {
      EXPECT_NEAR(resampled.frames[i].seconds, static_cast<double>(i) / rate, kTolerance);
      expect_on_lines(resampled.frames[i]);
    }
  }
}

TEST(Resample, AtTheSameRateChangesNothing) {
  for (const double rate : {16.0, 25.0, 30000.0 / 1001}) {
    PoseSequence sequence = at_rate(100, rate);
    person(sequence, 41)[kNose].score = 0;
    PoseSequence resampled = resample(sequence, rate);
    ASSERT_EQ(resampled.frames.size(), 100);
    for (std::size_t i = 0; i < 100; ++i) {
      EXPECT_EQ(resampled.frames[i].seconds, sequence.frames[i].seconds);
      EXPECT_EQ(person(resampled, i)[kLeftHand].at, person(sequence, i)[kLeftHand].at);
      EXPECT_EQ(person(resampled, i)[kNose].seen(), i != 41);
    }
  }
}

TEST(Resample, EvensOutFramesOfVaryingLength) {
  const PoseSequence resampled = resample(at_times({0, 0.01, 0.3, 0.31, 0.32, 0.9, 1}), 24);
  EXPECT_EQ(resampled.frames.size(), 25);
  for (const PoseFrame& frame : resampled.frames) expect_on_lines(frame);
}

TEST(Resample, BeginsWithTheFirstFrame) {
  const PoseSequence resampled = resample(at_times({5, 5.5, 6}), 10);
  EXPECT_EQ(resampled.frames.size(), 11);
  for (const PoseFrame& frame : resampled.frames) expect_on_lines(frame, 5);
}

TEST(Resample, MakesSlowMotionOfStretchedTimes) {
  PoseSequence sequence = at_rate(9, 16);
  for (PoseFrame& frame : sequence.frames) frame.seconds *= 4;
  const PoseSequence resampled = resample(sequence, 16);
  ASSERT_EQ(resampled.frames.size(), 33);
  for (const PoseFrame& frame : resampled.frames) {
    EXPECT_NEAR(frame.people.front().keypoints[7].at.x, place_of(7, frame.seconds / 4).x, kTolerance);
  }
}

TEST(Resample, OfOneFrameIsThatFrame) {
  const PoseSequence resampled = resample(at_times({3}), 30);
  ASSERT_EQ(resampled.frames.size(), 1);
  EXPECT_EQ(resampled.frames.front().seconds, 0);
  EXPECT_EQ(resampled.frames.front().people.front().keypoints[kNose].at, place_of(kNose, 3));
  EXPECT_TRUE(resample(at_times({}), 30).frames.empty());
}

TEST(Resample, DoesNotDragPointsToAGuess) {
  PoseSequence sequence = at_rate(2, 1);
  person(sequence, 1)[kLeftKnee] = {{-5000, -5000}, 0.1};
  const PoseSequence resampled = resample(sequence, 4);
  ASSERT_EQ(resampled.frames.size(), 5);
  EXPECT_EQ(resampled.frames[1].people.front().keypoints[kLeftKnee].at, place_of(kLeftKnee, 0));
  EXPECT_FALSE(resampled.frames[3].people.front().keypoints[kLeftKnee].seen());
  EXPECT_NEAR(resampled.frames[1].people.front().keypoints[kRightKnee].at.x, place_of(kRightKnee, 0.25).x, kTolerance);
}

TEST(Resample, TakesTheSmallerScore) {
  PoseSequence sequence = at_rate(2, 1);
  person(sequence, 1)[kNose].score = 0.5;
  EXPECT_EQ(resample(sequence, 2).frames[1].people.front().keypoints[kNose].score, 0.5);
}

TEST(Resample, TakesFramesOfNobodyAndOfTheSameTime) {
  PoseSequence sequence = at_times({0, 0, 0.5, 0.5, 1});
  sequence.frames[4].people.clear();
  const PoseSequence resampled = resample(sequence, 10);
  ASSERT_EQ(resampled.frames.size(), 11);
  for (std::size_t i = 0; i <= 5; ++i) expect_on_lines(resampled.frames[i]);
  EXPECT_EQ(resampled.frames[7].people.size(), 1);
  EXPECT_TRUE(resampled.frames[8].people.empty());
}

TEST(Resample, RefusesRatesAndLengthsOutOfRange) {
  const double nan = std::nan("");
  for (const double rate : {0.0, -1.0, 0.0009, 1000.5, nan}) {
    EXPECT_THROW(static_cast<void>(resample(at_rate(3, 16), rate)), Error) << rate;
  }
  EXPECT_THROW(static_cast<void>(resample(at_times({0, 1e9}), 1000)), Error);
  EXPECT_THROW(static_cast<void>(resample(at_times({0, 1e300}), 1000)), Error);
}

// ---- trembling

PoseSequence noisy(std::size_t frames, double noise, double speed) {
  std::mt19937 generator(5);
  std::normal_distribution<double> error(0, noise);
  PoseSequence sequence = testing::walk({}, frames, {200, 120}, {speed, 0}, 4000, 480);
  const Keypoints still = testing::walker({}, {200, 120}, 0);
  for (std::size_t i = 0; i < frames; ++i) {
    for (std::size_t point = 0; point < kKeypoints; ++point) {
      Keypoint& keypoint = person(sequence, i)[point];
      keypoint.at = still[point].at + Point{speed * static_cast<double>(i) + error(generator), error(generator)};
    }
  }
  return sequence;
}

/// Root of the mean square of the distance from what noisy() would be without noise, away from the ends.
double deviation(PoseSequence sequence, double speed) {
  const Keypoints still = testing::walker({}, {200, 120}, 0);
  constexpr std::size_t kEnds = 10;
  double sum = 0;
  double count = 0;
  for (std::size_t i = kEnds; i + kEnds < sequence.frames.size(); ++i) {
    for (std::size_t point = 0; point < kKeypoints; ++point) {
      const Point truth = still[point].at + Point{speed * static_cast<double>(i), 0};
      sum += std::pow(distance(person(sequence, i)[point].at, truth), 2);
      ++count;
    }
  }
  return std::sqrt(sum / count);
}

TEST(Smooth, CalmsSomebodyWhoStands) {
  PoseSequence sequence = noisy(60, 2, 0);
  const double before = deviation(sequence, 0);
  smooth(sequence);
  EXPECT_LT(deviation(sequence, 0), 0.65 * before);
}

TEST(Smooth, DoesNotLagBehindFastMovement) {
  for (const double speed : {5.0, 40.0}) {
    PoseSequence sequence = noisy(60, 0, speed);
    smooth(sequence);
    EXPECT_LT(deviation(sequence, speed), 0.05 * speed) << speed;
  }
}

TEST(Smooth, LeavesUnseenPointsAloneAndDoesNotMixAcrossThem) {
  PoseSequence sequence = noisy(30, 2, 0);
  for (std::size_t i = 10; i < 30; ++i) {
    if (i < 20) {
      person(sequence, i)[kNose] = {{-4000, 4000}, 0.2};
    } else {
      person(sequence, i)[kNose].at = {3000, 3000};
    }
  }
  for (std::size_t i = 0; i < 30; ++i) testing::hide(person(sequence, i), kLeftEar);
  const PoseSequence before = sequence;
  smooth(sequence);
  for (std::size_t i = 0; i < 30; ++i) {
    const Keypoints& then = before.frames[i].people.front().keypoints;
    EXPECT_EQ(person(sequence, i)[kLeftEar].at, then[kLeftEar].at);
    if (i >= 10) {
      EXPECT_EQ(person(sequence, i)[kNose].at, then[kNose].at) << i;
    }
    if (i < 10) {
      EXPECT_LT(distance(person(sequence, i)[kNose].at, then[kNose].at), 10) << i;
    }
    EXPECT_EQ(person(sequence, i)[kNose].score, then[kNose].score);
  }
}

TEST(Smooth, TakesAnySequence) {
  PoseSequence nobody{640, 480, 16, "made", std::vector<PoseFrame>(3)};
  EXPECT_NO_THROW(smooth(nobody));
  PoseSequence one = at_rate(1, 16);
  smooth(one);
  expect_on_lines(one.frames.front());
  PoseSequence same_times = at_times({1, 1, 1});
  smooth(same_times);
  testing::expect_finite(person(same_times, 2));
  PoseSequence gaps = at_rate(9, 16);
  gaps.frames[4].people.clear();
  smooth(gaps);
  EXPECT_TRUE(gaps.frames[4].people.empty());
  PoseSequence point = at_rate(9, 16);
  for (std::size_t i = 0; i < 9; ++i) person(point, i).fill({{1e9, -1e9}, 1});
  smooth(point);
  testing::expect_finite(person(point, 4));
}

}  // namespace
}  // namespace unianimate::pose
