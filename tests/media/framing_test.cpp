#include "unianimate/media/pictures/framing.h"

#include <gmock/gmock.h>

#include <array>

#include "unianimate/core/error.h"
#include "unianimate/media/pictures/framing_fields.h"

namespace unianimate {
namespace {

constexpr PictureSize kUsual{512, 768};

/// Each pixel tells where it is.
Image numbered(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto at = 3 * static_cast<std::size_t>(x);
      image.row(y)[at] = static_cast<std::uint8_t>(x + 1);
      image.row(y)[at + 1] = static_cast<std::uint8_t>(y + 1);
    }
  }
  return image;
}

std::array<int, 2> pixel(const Image& image, int x, int y) {
  const auto at = 3 * static_cast<std::size_t>(x);
  return {image.row(y)[at], image.row(y)[at + 1]};
}

TEST(SizeFor, KeepsTheAspectNearAndTheAreaNearby) {
  EXPECT_EQ(size_for({512, 768}, kUsual, 64), kUsual);
  EXPECT_EQ(size_for({4000, 6000}, kUsual, 64), kUsual);
  EXPECT_EQ(size_for({1000, 2000}, kUsual, 64), (PictureSize{448, 896}));
  EXPECT_EQ(size_for({1920, 1080}, kUsual, 64), (PictureSize{832, 448}));
  EXPECT_EQ(size_for({700, 700}, kUsual, 64), (PictureSize{640, 640}));
}

TEST(SizeFor, StretchesNoUsualPictureByMoreThanSixHundredthsAndChangesTheAreaByLessThanAFifth) {
  for (int width = 500; width <= 2000; width += 37) {
    const PictureSize picture{width, 1000};
    const PictureSize size = size_for(picture, kUsual, 64);
    EXPECT_NEAR(stretch_of({}, picture, size), 1, 0.06) << width;
    EXPECT_NEAR(static_cast<double>(size.width) * size.height / (512 * 768), 1, 0.2) << width;
  }
}

TEST(SizeFor, HoldsAgainstPicturesThatAreAlmostLines) {
  EXPECT_EQ(size_for({1, 100000}, kUsual, 64).aspect(), 0.25);
  EXPECT_EQ(size_for({100000, 1}, kUsual, 64).aspect(), 4);
  EXPECT_EQ(size_for({1, 1}, {32, 48}, 16), (PictureSize{32, 32}));
}

TEST(FrameFor, StretchTakesTheWholePicture) {
  EXPECT_TRUE(frame_for(Fit::kStretch, {100, 900}, kUsual, {0.4, 0.4, 0.6, 0.6}).is_whole());
}

TEST(FrameFor, PadAddsAsMuchOnBothSides) {
  const Framing portrait = frame_for(Fit::kPad, {500, 1000}, kUsual);
  EXPECT_DOUBLE_EQ(portrait.top, 0);
  EXPECT_DOUBLE_EQ(portrait.bottom, 1);
  EXPECT_NEAR(portrait.left, -1.0 / 6, 1e-12);
  EXPECT_NEAR(portrait.right, 7.0 / 6, 1e-12);
  const Framing landscape = frame_for(Fit::kPad, {1000, 1000}, kUsual);
  EXPECT_NEAR(landscape.top, -0.25, 1e-12);
  EXPECT_NEAR(landscape.bottom, 1.25, 1e-12);
  EXPECT_DOUBLE_EQ(landscape.left, 0);
}

TEST(FrameFor, CropFollowsThePersonToTheEdge) {
  const PictureSize wide{3000, 1500};
  const Framing middle = frame_for(Fit::kCrop, wide, kUsual, {0.45, 0.1, 0.55, 0.9});
  EXPECT_NEAR(middle.left, 0.5 - 1.0 / 6, 1e-12);
  EXPECT_NEAR(middle.right, 0.5 + 1.0 / 6, 1e-12);
  EXPECT_DOUBLE_EQ(middle.top, 0);
  EXPECT_DOUBLE_EQ(middle.bottom, 1);
  const Framing edge = frame_for(Fit::kCrop, wide, kUsual, {0.02, 0.1, 0.1, 0.9});
  EXPECT_NEAR(edge.left, 0, 1e-12);
  EXPECT_NEAR(edge.right, 1.0 / 3, 1e-12);
}

TEST(FrameFor, CropKeepsHeadAndFeetWhereTheyDoNotFit) {
  // A portrait of 1:2, the person from top to bottom: nothing may be cut off above or below.
  const Framing tall = frame_for(Fit::kCrop, {1000, 2000}, kUsual, {0.3, 0.05, 0.7, 0.95});
  EXPECT_NEAR(tall.top, 0.05, 1e-12);
  EXPECT_NEAR(tall.bottom, 0.95, 1e-12);
  EXPECT_LT(tall.left, 0);
  EXPECT_GT(tall.right, 1);
  // Only the upper half: what is below goes.
  const Framing half = frame_for(Fit::kCrop, {1000, 2000}, kUsual, {0.3, 0.05, 0.7, 0.5});
  EXPECT_DOUBLE_EQ(half.left, 0);
  EXPECT_DOUBLE_EQ(half.right, 1);
  EXPECT_LE(half.top, 0.05);
  EXPECT_GE(half.bottom, 0.5);
}

TEST(FrameFor, CropAndPadStretchNothing) {
  for (const PictureSize picture : {PictureSize{400, 1000}, {1000, 400}, {512, 768}, {1, 7}}) {
    for (const Fit fit : {Fit::kCrop, Fit::kPad}) {
      for (const Framing& person : {Framing{}, Framing{0.1, 0.2, 0.3, 0.9}, Framing{-0.5, 0, 1.5, 0.2}}) {
        EXPECT_NEAR(stretch_of(frame_for(fit, picture, kUsual, person), picture, kUsual), 1, 1e-9);
      }
    }
  }
}

TEST(StretchOf, SaysByHowMuchPeopleGrowWider) {
  EXPECT_NEAR(stretch_of({}, {1000, 2000}, kUsual), 4.0 / 3, 1e-12);
  EXPECT_NEAR(stretch_of({0, 0, 0.5, 1}, {1000, 2000}, kUsual), 8.0 / 3, 1e-12);
}

TEST(Framed, TheWholePictureStaysAsItIs) {
  const Image picture = numbered(30, 50);
  EXPECT_EQ(framed(picture, {}, Border::kBlack), picture);
  EXPECT_EQ(framed(picture, {1e-9, -1e-9, 1 - 1e-9, 1 + 1e-9}, Border::kBlack), picture);
}

TEST(Framed, CutsAndFillsUp) {
  const Image picture = numbered(4, 2);
  const Image inside = framed(picture, {0.25, 0, 0.75, 1}, Border::kEdge);
  EXPECT_EQ(pixel(inside, 0, 0), (std::array{2, 1}));
  EXPECT_EQ(pixel(inside, 1, 1), (std::array{3, 2}));
  const Image edge = framed(picture, {-0.25, -0.5, 1.25, 1.5}, Border::kEdge);
  EXPECT_EQ(pixel(edge, 0, 0), (std::array{1, 1}));
  EXPECT_EQ(pixel(edge, 5, 3), (std::array{4, 2}));
  EXPECT_EQ(pixel(edge, 2, 1), (std::array{2, 1}));
  const Image black = framed(picture, {-0.25, -0.5, 1.25, 1.5}, Border::kBlack);
  EXPECT_EQ(pixel(black, 0, 0), (std::array{0, 0}));
  EXPECT_EQ(pixel(black, 3, 0), (std::array{0, 0}));
  EXPECT_EQ(pixel(black, 5, 2), (std::array{0, 0}));
  EXPECT_EQ(pixel(black, 2, 1), (std::array{2, 1}));
}

TEST(Framed, RefusesPartsThatAreNone) {
  const Image picture = numbered(4, 4);
  for (const Framing& part : {Framing{0.5, 0, 0.5, 1},
                              {0, 0.9, 1, 0.1},
                              {0, 0, 1000000, 1},
                              {0, 0, 1.0 / 0.0, 1},
                              {-1000, -1000, 1000, 1000}}) {
    EXPECT_THROW(framed(picture, part, Border::kEdge), Error);
  }
}

TEST(Framed, ALineMayBecomeAPicture) {
  EXPECT_EQ(framed(numbered(1, 200), {-60, 0, 61, 1}, Border::kEdge).width, 121);
}

TEST(DimmedOutside, LeavesWhatIsShown) {
  const Image picture = numbered(4, 2);
  const Image dimmed = dimmed_outside(picture, {0.25, -1, 0.75, 2});
  EXPECT_EQ(pixel(dimmed, 1, 0), pixel(picture, 1, 0));
  EXPECT_EQ(pixel(dimmed, 2, 1), pixel(picture, 2, 1));
  EXPECT_EQ(pixel(dimmed, 3, 1), (std::array{4 / 3, 2 / 3}));
  EXPECT_EQ(pixel(dimmed, 0, 1), (std::array{1 / 3, 2 / 3}));
  EXPECT_EQ(dimmed_outside(picture, {}), picture);
}

TEST(FramingText, IsReadBackExactly) {
  for (const Framing& framing : {Framing{}, Framing{0.1, -1.0 / 3, 0.7, 4.0 / 3}, Framing{1e-9, 0, 1, 1}}) {
    EXPECT_EQ(parse_framing(framing_text(framing)), framing);
  }
  EXPECT_EQ(framing_text({}), "whole");
  EXPECT_EQ(framing_text({0.25, 0, 0.75, 1}), "0.25,0,0.75,1");
  for (const char* text : {"", "all", "0,0,1", "0,0,1,1,1", "0,0,1,1 ", "0;0;1;1", "0.5,0,0.5,1", "0,1,1,0",
                           "0,0,nan,1", "0,0,inf,1", "0,0,1e999,1", ",,,"}) {
    EXPECT_THROW(parse_framing(text), Error) << text;
  }
}

}  // namespace
}  // namespace unianimate
