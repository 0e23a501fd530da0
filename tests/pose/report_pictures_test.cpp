#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/pose/report/alignment_plot.h"
#include "unianimate/pose/report/contact_sheet.h"
#include "unianimate/pose/report/preview.h"

namespace unianimate::pose {
namespace {

constexpr double kClear = 0.9;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Colour = std::array<std::uint8_t, 3>;
constexpr Colour kBlackPixel{0, 0, 0};
constexpr Colour kWhitePixel{255, 255, 255};
constexpr Colour kGreyPixel{100, 100, 100};
constexpr Colour kSeen{52, 110, 180};
constexpr Colour kFilled{230, 130, 20};
constexpr Colour kUnseen{232, 232, 232};
constexpr Colour kNobody{200, 30, 45};
constexpr Colour kLimited{214, 84, 50};

Colour pixel(const Image& image, int x, int y) {
  const auto row = image.row(y).subspan(static_cast<std::size_t>(x) * Image::kChannels, Image::kChannels);
  return {row[0], row[1], row[2]};
}

std::size_t count(const Image& image, const Colour& colour) {
  std::size_t found = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) found += pixel(image, x, y) == colour ? 1 : 0;
  }
  return found;
}

Image grey(int width, int height) {
  Image image(width, height);
  std::ranges::fill(image.pixels, kGreyPixel[0]);
  return image;
}

/// All points at one place, which is then covered by discs.
Keypoints gathered(double x, double y, double score = kClear) {
  Keypoints keypoints;
  keypoints.fill({{x, y}, score});
  return keypoints;
}

/// Spread over a canvas of 100 x 200.
Keypoints spread_out() {
  Keypoints keypoints;
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    keypoints[i] = {{10 + static_cast<double>(i % 9) * 10, 10 + static_cast<double>(i) * 1.3}, kClear};
  }
  return keypoints;
}

PoseSequence sequence(std::size_t frames, const Keypoints& keypoints) {
  PoseSequence result{100, 200, 10, "dwpose", {}};
  for (std::size_t i = 0; i < frames; ++i) {
    result.frames.push_back({static_cast<double>(i) / 10, {{keypoints, 0, false}}});
  }
  return result;
}

AlignedPoses aligned(std::size_t frames, const Keypoints& keypoints = spread_out()) {
  AlignedPoses poses{sequence(frames, keypoints), keypoints, {}};
  poses.report.method = "robust";
  poses.report.bones = {{"neck", 0.5, "measured"}, {"torso", 1, "measured"}, {"right thigh", 2, "limited"}};
  return poses;
}

// ---- Preview

TEST(Preview, PutsBothPicturesSideBySideAtEvenSizes) {
  const PreviewPainter painter(grey(1139, 1511), {512, 768}, {692, 1108});
  const Image frame = painter.paint(grey(692, 1108), nullptr, nullptr);
  EXPECT_EQ(frame.height, kPreviewHeight);
  EXPECT_EQ(frame.width, 320 + 386);
  EXPECT_EQ(count(frame, kGreyPixel), frame.pixels.size() / Image::kChannels) << "no line may be left over";
}

TEST(Preview, DrawsJointsWhereTheyAreInEitherPicture) {
  const PreviewPainter painter(grey(400, 400), {512, 768}, {200, 400});
  const Keypoints driver = gathered(50, 300);
  const Keypoints on_canvas = gathered(128, 576);
  const Image frame = painter.paint(grey(200, 400), &driver, &on_canvas);
  const int middle = 256;
  EXPECT_NE(pixel(frame, 64, 384), kGreyPixel);
  EXPECT_EQ(pixel(frame, 64, 128), kGreyPixel);
  // The canvas shows the square reference stretched: a quarter across and three quarters down of it.
  EXPECT_NE(pixel(frame, middle + 128, 384), kGreyPixel);
  EXPECT_EQ(pixel(frame, middle + 128, 128), kGreyPixel);
}

TEST(Preview, ShowsTheWholePictureAfterShrinkingByMoreThanTwo) {
  Image picture = grey(600, 2048);
  for (int y = 1024; y < 2048; ++y) std::ranges::fill(picture.row(y), std::uint8_t{200});
  const PreviewPainter painter(grey(16, 16), {16, 16}, {600, 2048});
  const Image frame = painter.paint(picture, nullptr, nullptr);
  EXPECT_EQ(pixel(frame, 75, 254)[0], 100);
  EXPECT_EQ(pixel(frame, 75, 257)[0], 200);
  EXPECT_EQ(pixel(frame, 75, 511)[0], 200);
}

TEST(Preview, NeverDrawsWhatIsUnseenOrNoNumber) {
  const PreviewPainter painter(grey(100, 200), {100, 200}, {100, 200});
  const Image empty = painter.paint(grey(100, 200), nullptr, nullptr);
  for (const Keypoints& pose : {gathered(50, 50, 0.1), gathered(50, 50, kNaN), gathered(kNaN, 50), gathered(50, kNaN),
                                gathered(kInfinity, 50), gathered(50, -1e300)}) {
    EXPECT_EQ(painter.paint(grey(100, 200), &pose, &pose), empty);
  }
}

TEST(Preview, BoundsPicturesOfExtremeAspect) {
  const Keypoints pose = gathered(8, 8);
  const PreviewPainter wide(grey(8192, 16), {8192, 16}, {16, 8192});
  const Image frame = wide.paint(grey(16, 8192), &pose, &pose);
  EXPECT_EQ(frame.width, 128 + 2048);
  EXPECT_EQ(frame.height, kPreviewHeight);
  EXPECT_EQ(pixel(frame, 0, 256), kBlackPixel) << "beside the narrow driver";
  EXPECT_EQ(pixel(frame, 63, 400), kGreyPixel) << "one pixel of it";
  EXPECT_EQ(pixel(frame, 128 + 1024, 0), kBlackPixel) << "above the wide reference";
  EXPECT_EQ(pixel(frame, 128 + 1024, 256), kGreyPixel);
}

TEST(Preview, TakesTinyPicturesAndFramesOfAnotherSize) {
  const Keypoints pose = gathered(8, 8);
  const PreviewPainter painter(grey(1, 1), {1, 1}, {16, 16});
  const Image first = painter.paint(grey(16, 16), &pose, &pose);
  EXPECT_EQ(first.width, 1024);
  EXPECT_EQ(painter.paint(grey(32, 32), &pose, &pose), first);
  EXPECT_NE(pixel(first, 256, 256), kGreyPixel);
}

// ---- Contact sheet

/// 100 x 200 pictures with a 200 pixel wide cell each.
constexpr ContactSheetLayout kSmall{.columns = 3, .rows = 2, .cell = 200};
constexpr int kCellWidth = 212;
constexpr int kCellHeight = 236;
constexpr int kFirstPicture = 16;

/// The pixel of a cell's picture that shows the place of the canvas.
Colour in_cell(const Image& sheet, int column, int row, int x, int y) {
  return pixel(sheet, kFirstPicture + column * kCellWidth + 50 + x, kFirstPicture + row * kCellHeight + y);
}

TEST(ContactSheet, BeginsWithTheReferenceAndDimsTheOthers) {
  const Image sheet = contact_sheet(aligned(100, gathered(30, 150)), grey(100, 200), kSmall);
  EXPECT_EQ(sheet.width, 3 * kCellWidth + 20);
  EXPECT_EQ(sheet.height, 2 * kCellHeight + 20);
  EXPECT_EQ(pixel(sheet, 0, 0), kWhitePixel);
  EXPECT_EQ(in_cell(sheet, 0, 0, 70, 50), kGreyPixel);
  EXPECT_NE(in_cell(sheet, 0, 0, 30, 150), kGreyPixel);
  const Colour dimmed{45, 45, 45};
  for (const auto& [column, row] : {std::pair{1, 0}, {2, 0}, {0, 1}, {1, 1}, {2, 1}}) {
    EXPECT_EQ(in_cell(sheet, column, row, 70, 50), dimmed) << column << ' ' << row;
    EXPECT_NE(in_cell(sheet, column, row, 30, 150), dimmed) << column << ' ' << row;
  }
}

TEST(ContactSheet, SpreadsFramesFromTheFirstToTheLast) {
  AlignedPoses poses = aligned(101, gathered(20, 50));
  const auto move = [&](std::size_t frame) { poses.motion.frames[frame].people[0].keypoints = gathered(80, 150); };
  const Image still = contact_sheet(poses, grey(100, 200), kSmall);
  for (const std::size_t shown : {0, 25, 50, 75, 100}) move(shown);
  const Image moved = contact_sheet(poses, grey(100, 200), kSmall);
  for (const auto& [column, row] : {std::pair{1, 0}, {2, 0}, {0, 1}, {1, 1}, {2, 1}}) {
    EXPECT_EQ(in_cell(moved, column, row, 80, 150), in_cell(still, column, row, 20, 50)) << column << ' ' << row;
    EXPECT_NE(in_cell(moved, column, row, 80, 150), in_cell(still, column, row, 80, 150)) << column << ' ' << row;
  }
}

/// The largest lead of red over another channel in a cell's label; smooth text hardly reaches its full colour.
int redness(const Image& sheet, int column, int row, std::size_t channel) {
  int most = 0;
  for (int y = 200; y < kCellHeight; ++y) {
    for (int x = 0; x < 200; ++x) {
      const Colour colour =
          pixel(sheet, kFirstPicture + column * kCellWidth + x, kFirstPicture + row * kCellHeight + y);
      most = std::max(most, colour[0] - colour[channel]);
    }
  }
  return most;
}

TEST(ContactSheet, MarksFramesThatAreFilledOrEmpty) {
  constexpr std::size_t kGreen = 1;
  constexpr std::size_t kBlue = 2;
  constexpr int kPlain = 80;
  constexpr int kMoreThanOrange = 110;
  AlignedPoses poses = aligned(3, gathered(30, 150));
  poses.motion.frames[1].people[0].filled = true;
  poses.motion.frames[2].people.clear();
  const Image sheet = contact_sheet(poses, grey(100, 200), kSmall);
  EXPECT_EQ(redness(sheet, 1, 0, kBlue), 0) << "found";
  EXPECT_GT(redness(sheet, 2, 0, kBlue), kPlain) << "filled in is orange";
  EXPECT_LT(redness(sheet, 2, 0, kGreen), kMoreThanOrange);
  EXPECT_GT(redness(sheet, 0, 1, kGreen), kMoreThanOrange) << "nobody is red";
  const Colour dimmed{45, 45, 45};
  EXPECT_EQ(in_cell(sheet, 0, 1, 30, 150), dimmed) << "where there is nobody, no pose is drawn";
}

TEST(ContactSheet, LeavesOutColumnsAndRowsThatAreNotNeeded) {
  const Image two = contact_sheet(aligned(1), grey(100, 200), kSmall);
  EXPECT_EQ(two.width, 2 * kCellWidth + 20);
  EXPECT_EQ(two.height, kCellHeight + 20);
  EXPECT_EQ(contact_sheet(aligned(0), grey(100, 200), kSmall).width, kCellWidth + 20);
  EXPECT_EQ(contact_sheet(aligned(4), grey(100, 200), kSmall).height, 2 * kCellHeight + 20);
}

TEST(ContactSheet, TakesPicturesOfAnySize) {
  for (const auto& [width, height] : {std::pair{1, 1}, {16, 16}, {8192, 16}, {16, 8192}, {4000, 3000}}) {
    const Image sheet = contact_sheet(aligned(30), grey(width, height));
    EXPECT_LT(sheet.width, 2100);
    EXPECT_LT(sheet.height, 1500);
  }
  EXPECT_NO_THROW(static_cast<void>(contact_sheet({}, grey(16, 16))));
}

TEST(ContactSheet, NeverDrawsNumbersThatAreNone) {
  const Image without = contact_sheet(aligned(3, gathered(50, 50, 0)), grey(100, 200));
  EXPECT_EQ(contact_sheet(aligned(3, gathered(kNaN, kNaN)), grey(100, 200)), without);
}

TEST(ContactSheet, RefusesLayoutsWithoutPlace) {
  for (const ContactSheetLayout& layout :
       {ContactSheetLayout{1, 1, 320}, {0, 4, 320}, {6, -1, 320}, {6, 4, 31}, {101, 1, 320}, {6, 4, 1025}}) {
    EXPECT_THROW(static_cast<void>(contact_sheet(aligned(3), grey(16, 16), layout)), Error);
  }
}

// ---- Plot

constexpr int kPlotLeft = 172;
constexpr int kPlotWidth = 864;

/// The rows of pixels, from top to bottom, in which a column shows the colour.
std::vector<int> rows_with(const Image& plot, int x, const Colour& colour) {
  std::vector<int> rows;
  for (int y = 0; y < plot.height; ++y) {
    if (pixel(plot, x, y) == colour) rows.push_back(y);
  }
  return rows;
}

/// In the middle of the column of one of so many frames.
int x_of(std::size_t frame, std::size_t frames) {
  return kPlotLeft + static_cast<int>((2 * frame + 1) * kPlotWidth / (2 * frames));
}

constexpr std::size_t kPartRows = 10;
constexpr std::size_t kPartHeight = 20;
constexpr std::size_t kWholePart = kPartRows * kPartHeight;

TEST(AlignmentPlot, DrawsRatiosOnALogarithmicScaleInTheColourOfTheirSource) {
  AlignedPoses poses = aligned(0);
  const Image plot = alignment_plot(poses, {});
  constexpr std::size_t kBarHeight = 14;
  EXPECT_EQ(rows_with(plot, kPlotLeft + kPlotWidth / 4, kSeen).size(), kBarHeight) << "0.5 reaches left";
  EXPECT_EQ(rows_with(plot, kPlotLeft + kPlotWidth / 2, kSeen).size(), 2 * kBarHeight) << "1 is a short mark";
  EXPECT_EQ(rows_with(plot, kPlotLeft + kPlotWidth * 3 / 4, kLimited).size(), kBarHeight) << "2 reaches right";
  EXPECT_TRUE(rows_with(plot, kPlotLeft + kPlotWidth / 4, kLimited).empty());

  poses.report.bones[0].ratio = 0.25;
  const Image wider = alignment_plot(poses, {});
  EXPECT_EQ(rows_with(wider, kPlotLeft + kPlotWidth / 8, kSeen).size(), kBarHeight);
  EXPECT_EQ(rows_with(wider, kPlotLeft + kPlotWidth * 5 / 8, kLimited).size(), kBarHeight);
  EXPECT_TRUE(rows_with(wider, kPlotLeft + kPlotWidth * 7 / 8, kLimited).empty());
}

TEST(AlignmentPlot, DrawsNoBarForRatiosThatAreNone) {
  AlignedPoses poses = aligned(0);
  poses.report.bones = {{"a", 0, "limited"}, {"b", -1, "limited"}, {"c", kNaN, "limited"}};
  const Image plot = alignment_plot(poses, {});
  for (const int x : {kPlotLeft + 150, kPlotLeft + kPlotWidth / 2, kPlotLeft + kPlotWidth - 1}) {
    EXPECT_TRUE(rows_with(plot, x, kLimited).empty());
  }
  poses.report.bones = {{"a", kInfinity, "limited"}, {"b", 1e-300, "limited"}};
  const Image farthest = alignment_plot(poses, {});
  EXPECT_FALSE(rows_with(farthest, kPlotLeft + kPlotWidth - 1, kLimited).empty());
  EXPECT_FALSE(rows_with(farthest, kPlotLeft, kLimited).empty());
}

TEST(AlignmentPlot, ShowsWhatWasSeenFilledInAndUnseen) {
  constexpr std::size_t kFrames = 9;
  AlignedPoses poses = aligned(kFrames);
  PoseSequence driver = sequence(kFrames, spread_out());
  driver.frames[2].people[0].keypoints = gathered(50, 50, 0.1);
  driver.frames[3].people[0].keypoints = gathered(50, 50, 0.1);
  poses.motion.frames[3].people[0].keypoints = gathered(50, 50, 0);
  driver.frames[4].people[0].keypoints = gathered(50, 50, 0.1);
  poses.motion.frames[4].people[0].keypoints = gathered(kNaN, 50);
  driver.frames[5].people.clear();
  driver.frames[6].people[0].filled = true;
  const Image plot = alignment_plot(poses, driver);
  const auto amount = [&](std::size_t frame, const Colour& colour) {
    return rows_with(plot, x_of(frame, kFrames), colour).size();
  };
  EXPECT_EQ(amount(8, kSeen), kWholePart);
  EXPECT_EQ(amount(2, kFilled), kWholePart);
  EXPECT_EQ(amount(3, kUnseen), kWholePart);
  EXPECT_EQ(amount(4, kUnseen), kWholePart) << "a place that is no number is not drawn";
  EXPECT_EQ(amount(5, kFilled), kWholePart);
  EXPECT_EQ(amount(6, kFilled), kWholePart);
  for (std::size_t frame = 0; frame < kFrames; ++frame) {
    const bool nobody = frame == 5 || frame == 6;
    EXPECT_EQ(amount(frame, kNobody) > 0, nobody) << frame;
  }
}

TEST(AlignmentPlot, FillsARowToTheShareOfThePartThatIsSeen) {
  AlignedPoses poses = aligned(1);
  PoseSequence driver = sequence(1, spread_out());
  constexpr std::size_t kThird = kHandPoints / 3;
  Keypoints& found = driver.frames[0].people[0].keypoints;
  Keypoints& drawn = poses.motion.frames[0].people[0].keypoints;
  for (std::size_t i = kThird; i < kHandPoints; ++i) found[kRightHand + i].score = 0;
  for (std::size_t i = 2 * kThird; i < kHandPoints; ++i) drawn[kRightHand + i].score = 0;
  const Image plot = alignment_plot(poses, driver);
  const int x = kPlotLeft + kPlotWidth - 1;
  EXPECT_EQ(rows_with(plot, x, kSeen).size(), kWholePart - kPartHeight + 7);
  const std::vector<int> filled = rows_with(plot, x, kFilled);
  const std::vector<int> unseen = rows_with(plot, x, kUnseen);
  ASSERT_EQ(filled.size(), 6);
  ASSERT_EQ(unseen.size(), 7);
  EXPECT_EQ(unseen.back() + 1, filled.front());
}

TEST(AlignmentPlot, ShowsASingleEmptyFrameAmongManyThousands) {
  constexpr std::size_t kFrames = 100'000;
  PoseSequence driver = sequence(kFrames, spread_out());
  driver.frames[kFrames / 4].people.clear();
  const Image plot = alignment_plot(aligned(kFrames), driver);
  EXPECT_FALSE(rows_with(plot, kPlotLeft + kPlotWidth / 4, kNobody).empty());
  EXPECT_TRUE(rows_with(plot, kPlotLeft + kPlotWidth / 4 + 1, kNobody).empty());
}

TEST(AlignmentPlot, TakesDriversOfAnotherLengthAndNobodyAnywhere) {
  PoseSequence driver = sequence(4, spread_out());
  driver.frames[0].people.clear();
  const Image plot = alignment_plot(aligned(400), driver);
  EXPECT_FALSE(rows_with(plot, kPlotLeft + 1, kNobody).empty());
  EXPECT_TRUE(rows_with(plot, kPlotLeft + kPlotWidth - 1, kNobody).empty());

  AlignedPoses empty = aligned(5);
  for (PoseFrame& frame : empty.motion.frames) frame.people.clear();
  EXPECT_EQ(rows_with(alignment_plot(empty, {}), kPlotLeft + 1, kUnseen).size(), kWholePart);
  EXPECT_EQ(rows_with(alignment_plot({}, driver), kPlotLeft + 1, kUnseen).size(), kWholePart);
}

TEST(AlignmentPlot, TakesAnyTimesAndNames) {
  for (const auto& [first, last] : {std::pair{kNaN, kNaN}, {0.0, kInfinity}, {5.0, 1.0}, {1e17, 1e17}, {0.0, 1e300}}) {
    AlignedPoses poses = aligned(2);
    poses.motion.frames[0].seconds = first;
    poses.motion.frames[1].seconds = last;
    EXPECT_EQ(alignment_plot(poses, poses.motion).width, 1120);
  }
  AlignedPoses poses = aligned(2);
  poses.report.method = std::string(1000, 'm');
  poses.report.bones.assign(100'000, {std::string(1000, 'b') + "\xff\xc3", 1.5, "\xe2"});
  for (std::size_t i = 0; i < poses.report.bones.size(); ++i) poses.report.bones[i].source += std::to_string(i);
  EXPECT_LT(alignment_plot(poses, poses.motion).height, 2100);
}

}  // namespace
}  // namespace unianimate::pose
