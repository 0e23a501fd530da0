// What pose pictures show and what they leave out; that they are the published tool's is for the golden test.
#include "unianimate/pose/draw/drawing.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "pose/walker.h"
#include "unianimate/core/error.h"

namespace unianimate::pose {
namespace {

using testing::hide;
using testing::walker;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kWidth = 400;
constexpr int kHeight = 500;

using Colour = std::array<int, 3>;
constexpr Colour kBlack{0, 0, 0};

Colour pixel(const Image& image, int x, int y) {
  const auto row = image.row(y).subspan(static_cast<std::size_t>(x) * Image::kChannels, Image::kChannels);
  return {row[0], row[1], row[2]};
}

Keypoints one_point(std::size_t index, Point at, double score = 0.9) {
  Keypoints keypoints{};
  keypoints[index] = {at, score};
  return keypoints;
}

Image draw(const Keypoints& keypoints) {
  return draw_pose(keypoints, kWidth, kHeight);
}

const Image& nothing() {
  static const Image black(kWidth, kHeight);
  return black;
}

/// The box of what is not black.
Box drawn_box(const Image& image) {
  Box box{1e9, 1e9, -1, -1};
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      if (pixel(image, x, y) == kBlack) continue;
      box = {std::min<double>(box.left, x), std::min<double>(box.top, y), std::max<double>(box.right, x),
             std::max<double>(box.bottom, y)};
    }
  }
  return box;
}

TEST(DrawPose, IsBlackWhereNothingIsSeen) {
  Keypoints keypoints = walker({}, {200, 100}, 0);
  for (Keypoint& point : keypoints) point.score = 0.299;
  EXPECT_EQ(draw(keypoints), nothing());
  EXPECT_EQ(draw({}), nothing());
}

TEST(DrawPose, AJointIsADiscOfRadiusFourInItsColourWithRedAndBlueExchanged) {
  const Image nose = draw(one_point(kNose, {100.9, 200.9}));
  const Box box = drawn_box(nose);
  EXPECT_EQ(box.left, 96);
  EXPECT_EQ(box.right, 104);
  EXPECT_EQ(box.top, 196);
  EXPECT_EQ(box.bottom, 204);
  EXPECT_EQ(pixel(nose, 100, 200), (Colour{0, 0, 255}));
  EXPECT_EQ(pixel(draw(one_point(kNeck, {100, 200})), 100, 200), (Colour{0, 85, 255}));
}

TEST(DrawPose, EveryBodyPointIsDrawnExactlyWhereItIsSeen) {
  for (std::size_t i = 0; i < kBodyPoints; ++i) {
    EXPECT_EQ(draw(one_point(i, {50, 60}, 0.29)), nothing()) << i;
    EXPECT_NE(draw(one_point(i, {50, 60}, 0.3)), nothing()) << i;
  }
}

TEST(DrawPose, FacesAndHeelsAndSingleToesAreNotDrawn) {
  for (std::size_t i = kBodyPoints; i < kLeftHand; ++i) EXPECT_EQ(draw(one_point(i, {50, 60})), nothing()) << i;
}

TEST(DrawPose, ToesAreDrawnInTheirMiddle) {
  Keypoints keypoints = one_point(kRightBigToe, {50, 60});
  keypoints[kRightSmallToe] = {{70, 80}, 0.9};
  const Box box = drawn_box(draw(keypoints));
  EXPECT_EQ(box.centre(), (Point{60, 70}));
}

TEST(DrawPose, ALimbIsDimmedAndItsJointsAreNot) {
  Keypoints keypoints = one_point(kRightShoulder, {100, 200});
  keypoints[kRightElbow] = {{200, 200}, 0.9};
  const Image arm = draw(keypoints);
  EXPECT_EQ(pixel(arm, 150, 200), (Colour{0, 102, 153})) << "60 % of (255, 170, 0), exchanged";
  EXPECT_EQ(pixel(arm, 100, 200), (Colour{0, 170, 255}));
  EXPECT_EQ(pixel(arm, 150, 206), kBlack);
  hide(keypoints, kRightElbow);
  EXPECT_EQ(pixel(draw(keypoints), 150, 200), kBlack) << "a limb needs both its ends";
}

TEST(DrawPose, HandPointsNeedBothCoordinatesOverAHundredth) {
  for (const std::size_t hand : {kLeftHand, kRightHand}) {
    for (std::size_t i = 0; i < kHandPoints; ++i) {
      EXPECT_NE(draw(one_point(hand + i, {50, 60})), nothing()) << i;
      EXPECT_NE(draw(one_point(hand + i, {0.011, 60})), nothing());
      EXPECT_EQ(draw(one_point(hand + i, {0.01, 60})), nothing());
      EXPECT_EQ(draw(one_point(hand + i, {60, 0.01})), nothing());
      EXPECT_EQ(draw(one_point(hand + i, {-3, 60})), nothing()) << "although a disc would reach into the picture";
      EXPECT_EQ(draw(one_point(hand + i, {60, -3})), nothing());
      EXPECT_EQ(draw(one_point(hand + i, {50, 60}, 0.2)), nothing());
    }
  }
  EXPECT_NE(draw(one_point(kNose, {-3, 60})), nothing()) << "body points may reach in from outside";
}

TEST(DrawPose, FingersNeedBothTheirEnds) {
  Keypoints keypoints = one_point(kLeftHand, {100, 200});
  keypoints[kLeftHand + 5] = {{200, 200}, 0.9};
  EXPECT_NE(pixel(draw(keypoints), 150, 200), kBlack);
  keypoints[kLeftHand + 5].at.y = -1;
  EXPECT_EQ(pixel(draw(keypoints), 150, 100), kBlack);
  Keypoints unconnected = one_point(kLeftHand + 4, {100, 200});
  unconnected[kLeftHand + 5] = {{200, 200}, 0.9};
  EXPECT_EQ(pixel(draw(unconnected), 150, 200), kBlack) << "the thumb's tip and the forefinger's base";
}

TEST(DrawPose, LeavesOutWhatIsNoNumberOrOutOfReach) {
  const Keypoints whole = walker({}, {200, 100}, 0.4);
  for (const Point place : {Point{kNaN, 100}, Point{100, kNaN}, Point{kInfinity, 0}, Point{0, -kInfinity},
                            Point{1e300, 1e300}, Point{-1e9, 100}, Point{3300, 100}, Point{100, 4100}}) {
    for (std::size_t i = 0; i < kKeypoints; ++i) {
      Keypoints hidden = whole;
      hide(hidden, i);
      Keypoints far = whole;
      far[i].at = place;
      ASSERT_EQ(draw(far), draw(hidden)) << "point " << i << " at " << place.x << ", " << place.y;
    }
  }
  Keypoints no_score = whole;
  for (Keypoint& point : no_score) point.score = kNaN;
  EXPECT_EQ(draw(no_score), nothing());
}

TEST(DrawPose, PointsJustWithinReachDoNotCrash) {
  for (const Point place : {Point{3199, 3999}, Point{-3199, 3999}, Point{-3199, -3999}, Point{3199, 250}}) {
    for (std::size_t i = 0; i < kKeypoints; ++i) {
      Keypoints far = walker({}, {200, 100}, 0.4);
      far[i].at = place;
      EXPECT_NE(draw(far), nothing());
    }
  }
}

TEST(DrawPose, DrawsTheSameOnAnyCanvasThatHoldsIt) {
  const Image large = draw(walker({}, {200, 100}, 0.4));
  const Image small = draw_pose(walker({}, {200, 100}, 0.4), kWidth - 30, kHeight - 40);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) ASSERT_EQ(pixel(small, x, y), pixel(large, x, y)) << x << ", " << y;
  }
}

TEST(DrawPose, TakesCanvasesOfAnySize) {
  for (const auto& [width, height] : {std::pair{1, 1}, {16, 16}, {1, 3000}, {3000, 1}, {17, 3001}}) {
    const Image image = draw_pose(walker({}, {8, 8}, 0.4), width, height);
    EXPECT_EQ(image.width, width);
    EXPECT_EQ(image.height, height);
    Image under(width, height);
    EXPECT_EQ(draw_pose_over(under, walker({}, {8, 8}, 0.4)).pixels.size(), under.pixels.size());
  }
  EXPECT_THROW(static_cast<void>(draw_pose({}, 0, 10)), Error);
  EXPECT_THROW(static_cast<void>(draw_pose({}, 10, -1)), Error);
}

TEST(DrawPoseOver, LeavesThePictureWhereThereIsNobody) {
  Image picture(kWidth, kHeight);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(i * 7);
  EXPECT_EQ(draw_pose_over(picture, {}), picture);
  EXPECT_EQ(draw_pose_over(picture, one_point(kNose, {kNaN, 10})), picture);
  const Image drawn = draw_pose_over(picture, one_point(kNose, {100, 200}));
  EXPECT_EQ(pixel(drawn, 100, 200), (Colour{255, 0, 0})) << "true colours";
  EXPECT_EQ(pixel(drawn, 110, 200), pixel(picture, 110, 200));
}

TEST(DrawPoseOver, GrowsWithThePicture) {
  const auto width_of = [](int side) {
    return drawn_box(draw_pose_over(Image(side, side), one_point(kNose, {side / 2.0, side / 2.0}))).width();
  };
  EXPECT_EQ(width_of(kCanvasHeight), 6);
  EXPECT_EQ(width_of(4 * kCanvasHeight), 24);
}

}  // namespace
}  // namespace unianimate::pose
