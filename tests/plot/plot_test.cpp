// Charts and sheets: round numbers, everything in its place, nothing impossible drawn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/plot/axis.h"
#include "unianimate/plot/line_chart.h"
#include "unianimate/plot/picture_sheet.h"

namespace unianimate::plot {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Pointwise;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Colour = std::array<std::uint8_t, 3>;
constexpr Colour kFirstCurve{0, 114, 178};
constexpr Colour kSecondCurve{213, 94, 0};

/// The box around all pixels of a colour.
struct Spot {
  int left = std::numeric_limits<int>::max();
  int top = std::numeric_limits<int>::max();
  int right = -1;
  int bottom = -1;
  std::int64_t pixels = 0;
};

Spot find(const Image& image, const Colour& colour) {
  Spot spot;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const auto pixel = image.row(y).subspan(static_cast<std::size_t>(x) * Image::kChannels, Image::kChannels);
      if (!std::ranges::equal(pixel, colour)) continue;
      spot = {std::min(spot.left, x), std::min(spot.top, y), std::max(spot.right, x), std::max(spot.bottom, y),
              spot.pixels + 1};
    }
  }
  return spot;
}

Image filled(int width, int height, const Colour& colour) {
  Image image(width, height);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = colour[i % colour.size()];
  return image;
}

LineChart chart_of(std::vector<Series> series) {
  LineChart chart;
  chart.series = std::move(series);
  return chart;
}

PictureSheet sheet_of(std::vector<SheetRow> rows) {
  PictureSheet sheet;
  sheet.rows = std::move(rows);
  return sheet;
}

TEST(TickStep, IsTheLeastRoundOneThatSuffices) {
  EXPECT_DOUBLE_EQ(tick_step(10, 10), 1);
  EXPECT_DOUBLE_EQ(tick_step(10, 9), 2);
  EXPECT_DOUBLE_EQ(tick_step(0.3, 10), 0.05);
  EXPECT_DOUBLE_EQ(tick_step(6001, 12), 1000);
  EXPECT_EQ(tick_step(0, 5), 0);
  EXPECT_EQ(tick_step(kNan, 5), 0);
}

TEST(Axis, HasRoundTicks) {
  EXPECT_THAT(Axis(-0.23, 0.41, false).ticks(4), Pointwise(DoubleEq(), {-0.2, 0.0, 0.2, 0.4}));
  EXPECT_THAT(Axis(0.004, 30, true).ticks(5), Pointwise(DoubleEq(), {0.01, 0.1, 1.0, 10.0}));
  EXPECT_THAT(Axis(1, 50, true).ticks(8), Pointwise(DoubleEq(), {1.0, 2.0, 5.0, 10.0, 20.0, 50.0}));
  EXPECT_THAT(Axis(3.1, 3.4, true).ticks(4), Pointwise(DoubleEq(), {3.1, 3.2, 3.3, 3.4}));
}

TEST(Axis, MovesEqualEndsApart) {
  EXPECT_DOUBLE_EQ(Axis(4, 4, false).share(4), 0.5);
  EXPECT_DOUBLE_EQ(Axis(0, 0, false).share(0), 0.5);
  EXPECT_GT(Axis(4, 4, true).share(4), 0.1);
}

TEST(Axis, EndsWithValuesThatHardlyDiffer) {
  EXPECT_LE(Axis(1e9, 1e9 + 1e-6, false).ticks(5).size(), 6U);
}

TEST(LineChart, CurvesRunWhereTheirValuesSay) {
  const LineChart chart = chart_of({{"rising", {0, 1, 2}, {0, 1, 2}}, {"flat", {0, 1, 2}, {2, 2, 2}}});
  const Image image = draw_line_chart(chart, 640, 400);
  const Spot rising = find(image, kFirstCurve);
  const Spot flat = find(image, kSecondCurve);
  EXPECT_EQ(image.width, 640);
  EXPECT_EQ(image.height, 400);
  EXPECT_GT(rising.right, 600);
  EXPECT_GT(rising.bottom, 320);
  EXPECT_GT(flat.pixels, 500);
  EXPECT_LT(flat.bottom, 120);
}

TEST(LineChart, ALogarithmicAxisStraightensPowers) {
  LineChart powers = chart_of({{"", {1, 10, 100}, {0, 1, 2}}});
  powers.log_x = true;
  const LineChart line = chart_of({{"", {1, 2, 3}, {0, 1, 2}}});
  EXPECT_NEAR(static_cast<double>(find(draw_line_chart(powers), kFirstCurve).pixels),
              static_cast<double>(find(draw_line_chart(line), kFirstCurve).pixels), 30);
}

TEST(LineChart, WhatCannotBeShownLeavesAGap) {
  LineChart chart = chart_of({{"", {0, 1, 2, 3}, {1, 0, kNan, kInfinity}}});
  chart.log_y = true;
  EXPECT_LT(find(draw_line_chart(chart), kFirstCurve).pixels, 100);
  chart.series = {{"", {}, {}}};
  EXPECT_EQ(find(draw_line_chart(chart), kFirstCurve).pixels, 0);
  chart.series.clear();
  EXPECT_NO_THROW(draw_line_chart(chart));
}

TEST(LineChart, LongCurvesAreThinAndHaveNoMarks) {
  Series series{"", {}, {}};
  for (int i = 0; i < 1000; ++i) {
    series.x.push_back(i);
    series.y.push_back(5);
  }
  const Image image = draw_line_chart(chart_of({series}));
  int lowest = 0;
  int highest = image.height;
  for (int y = 0; y < image.height; ++y) {
    const auto pixel = image.row(y).subspan(image.row_bytes() / 2, Image::kChannels);
    const bool bluish = pixel[2] > pixel[0] + 50;
    if (!bluish) continue;
    lowest = std::max(lowest, y);
    highest = std::min(highest, y);
  }
  EXPECT_GT(lowest, 0);
  EXPECT_LE(lowest - highest, 2);
}

TEST(LineChart, WhereColoursComeAgainMarksAreOthers) {
  const auto pixels_of = [](std::size_t series) {
    LineChart chart = chart_of(std::vector<Series>(9, Series{"", {}, {}}));
    chart.series[series] = {"", {1}, {1}};
    return find(draw_line_chart(chart), kFirstCurve).pixels;
  };
  EXPECT_GT(pixels_of(8), pixels_of(0) + 10) << "a square of the side that the first one's circle is wide";
}

TEST(LineChart, RefusesWhatIsNoChart) {
  EXPECT_THROW(draw_line_chart(chart_of({{"a", {1, 2}, {1}}})), Error);
  EXPECT_THROW(draw_line_chart({}, 100, 400), Error);
  EXPECT_THROW(draw_line_chart({}, 400, 10'000), Error);
}

TEST(PictureSheet, PutsPicturesInRows) {
  const Image sheet = draw_picture_sheet({.title = "title",
                                          .columns = {"a", "b"},
                                          .rows = {{"person", {}},
                                                   {"first", {filled(30, 40, kFirstCurve), Image()}},
                                                   {"second", {Image(), filled(30, 40, kSecondCurve)}}}});
  const Spot first = find(sheet, kFirstCurve);
  const Spot second = find(sheet, kSecondCurve);
  EXPECT_EQ(first.pixels, 30 * 40);
  EXPECT_EQ(second.pixels, 30 * 40);
  EXPECT_GT(second.left, first.right);
  EXPECT_GT(second.top, first.bottom);
}

TEST(PictureSheet, RefusesUnequalPicturesAndNone) {
  EXPECT_THROW(draw_picture_sheet(sheet_of({{"", {Image(3, 4), Image(4, 4)}}})), Error);
  EXPECT_THROW(draw_picture_sheet(sheet_of({{"", {}}})), Error);
  EXPECT_THROW(draw_picture_sheet(sheet_of({{"", std::vector<Image>(1000, Image(100, 1))}})), Error);
}

TEST(EvenlySpread, TakesBothEnds) {
  EXPECT_THAT(evenly_spread(10, 4), ElementsAre(0U, 3U, 6U, 9U));
  EXPECT_THAT(evenly_spread(10, 1), ElementsAre(0U));
}

}  // namespace
}  // namespace unianimate::plot
