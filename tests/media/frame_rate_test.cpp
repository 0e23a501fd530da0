#include "unianimate/media/pictures/frame_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace unianimate {
namespace {

/// Times with these intervals between them, over and over.
std::vector<double> times(const std::vector<double>& intervals, int rounds) {
  std::vector<double> seconds{0};
  for (int round = 0; round < rounds; ++round) {
    for (const double interval : intervals) seconds.push_back(seconds.back() + interval);
  }
  return seconds;
}

TEST(FrameRate, IsThatOfTheUsualInterval) {
  EXPECT_EQ(frame_rate(times({0.0625}, 11), 0), 16);
  EXPECT_EQ(frame_rate(times({0.04, 0.04, 0.04, 0.08}, 20), 0), 25);
  EXPECT_EQ(frame_rate(times({0.04, 0.04, 0.06}, 20), 0), 25);
}

TEST(FrameRate, DoesNotCountPauses) {
  std::vector<double> seconds = times({0.0625}, 11);
  for (int i = 0; i < 12; ++i) seconds.push_back(5.75 + i / 16.0);
  EXPECT_EQ(frame_rate(seconds, 24 / 6.5), 16);
  EXPECT_EQ(frame_rate(std::vector<double>{0, 0.125, 3600}, 0), 8);
}

TEST(FrameRate, CoarseClocksMakeOneIntervalTwo) {
  EXPECT_NEAR(frame_rate(times({0.033, 0.033, 0.034}, 100), 0), 30, 1e-6);
  EXPECT_NEAR(frame_rate(times({0.03, 0.03, 0.04}, 100), 0), 30, 1e-6);
  EXPECT_NEAR(frame_rate(times({0.004, 0.005, 0.004, 0.004}, 100), 0), 1 / 0.00425, 1e-5);
}

TEST(FrameRate, IntervalsThatTakeTurnsBothCount) {
  EXPECT_NEAR(frame_rate(times({2 / 60.0, 3 / 60.0}, 50), 0), 24, 1e-6);
}

TEST(FrameRate, WhatIsToldIsMoreExactButNotAlwaysRight) {
  constexpr double kBroadcast = 30000.0 / 1001;
  EXPECT_EQ(frame_rate(times({0.033, 0.033, 0.034}, 100), kBroadcast), kBroadcast);
  EXPECT_EQ(frame_rate(times({0.04}, 100), kBroadcast), 25);
  EXPECT_EQ(frame_rate({}, 12), 12);
  EXPECT_EQ(frame_rate(times({}, 1), 12), 12);
  EXPECT_EQ(frame_rate({}, 0), 25);
}

TEST(FrameRate, StaysWithinReason) {
  EXPECT_EQ(frame_rate(times({3600}, 5), 0), 0.1);
  EXPECT_EQ(frame_rate(times({1e-9}, 5), 0), 1000);
  EXPECT_EQ(frame_rate(std::vector<double>{5, 5, 5}, 0), 25);
}

}  // namespace
}  // namespace unianimate
