#include "unianimate/studio/progress_meter.h"

#include <gtest/gtest.h>

namespace unianimate::studio {
namespace {

using std::chrono::milliseconds;

constexpr ProgressMeter::Time kStart{};

TEST(ProgressMeter, SaysNothingBeforeItMeansSomething) {
  ProgressMeter meter;
  EXPECT_FALSE(meter.seconds_left(kStart));
  meter.begin(10, kStart);
  EXPECT_FALSE(meter.seconds_left(kStart));
  meter.step(1, kStart + milliseconds(5000));
  EXPECT_FALSE(meter.seconds_left(kStart + milliseconds(5000))) << "one step";
  meter.begin(10, kStart);
  for (int i = 1; i < 4; ++i) meter.step(i, kStart + milliseconds(300 * i));
  EXPECT_FALSE(meter.seconds_left(kStart + milliseconds(900))) << "less than a second";
}

TEST(ProgressMeter, CountsDownBetweenSteps) {
  ProgressMeter meter;
  meter.begin(10, kStart);
  for (int i = 1; i <= 4; ++i) meter.step(i, kStart + milliseconds(2000 * i));
  EXPECT_DOUBLE_EQ(meter.seconds_per_step().value(), 2.0);
  EXPECT_DOUBLE_EQ(meter.seconds_left(kStart + milliseconds(8000)).value(), 12.0);
  EXPECT_DOUBLE_EQ(meter.seconds_left(kStart + milliseconds(9500)).value(), 10.5);
  EXPECT_DOUBLE_EQ(meter.seconds_left(kStart + milliseconds(90'000)).value(), 0.0);
}

TEST(ProgressMeter, FollowsAChangeOfSpeed) {
  ProgressMeter meter;
  meter.begin(1000, kStart);
  ProgressMeter::Time now = kStart;
  for (int i = 1; i <= 40; ++i) meter.step(i, now += milliseconds(i <= 20 ? 1000 : 4000));
  EXPECT_DOUBLE_EQ(meter.seconds_per_step().value(), 4.0);
}

TEST(ProgressMeter, TakesManyQuickStepsAndUnknownTotals) {
  ProgressMeter meter;
  meter.begin(0, kStart);
  for (int i = 1; i <= 10'000; ++i) meter.step(i, kStart + milliseconds(i));
  EXPECT_NEAR(meter.seconds_per_step().value(), 0.001, 1e-9);
  EXPECT_FALSE(meter.seconds_left(kStart + milliseconds(10'000)));
}

TEST(FormatDuration, SuitsItsLength) {
  EXPECT_EQ(format_duration(0.04), "0.0 s");
  EXPECT_EQ(format_duration(9.94), "9.9 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(59.6), "1 min 0 s");
  EXPECT_EQ(format_duration(3599), "59 min 59 s");
  EXPECT_EQ(format_duration(7260), "2 h 1 min");
}

}  // namespace
}  // namespace unianimate::studio
