#include "unianimate/studio/video_framing.h"

#include <gmock/gmock.h>

#include "unianimate/core/error.h"

namespace unianimate::studio {
namespace {

void expect_near(const Framing& a, const Framing& b) {
  EXPECT_NEAR(a.left, b.left, 1e-12);
  EXPECT_NEAR(a.top, b.top, 1e-12);
  EXPECT_NEAR(a.right, b.right, 1e-12);
  EXPECT_NEAR(a.bottom, b.bottom, 1e-12);
}

TEST(PersonIn, HasRoomForHeadAndFeet) {
  pose::Keypoints keypoints{};
  keypoints[pose::kNose] = {{40, 200}, 1};
  keypoints[pose::kLeftAnkle] = {{60, 700}, 1};
  keypoints[pose::kRightAnkle] = {{500, 990}, 0};  // unseen
  expect_near(person_in(keypoints, {100, 1000}), {0.4, 0.15, 0.6, 0.73});
  keypoints[pose::kLeftAnkle].at.y = 990;
  keypoints[pose::kNose].at.y = 20;
  expect_near(person_in(keypoints, {100, 1000}), {0.4, 0, 0.6, 1});
}

TEST(PersonIn, EndsAtTheHipsWhereThePictureDoesNotShowFeet) {
  pose::Keypoints keypoints{};
  keypoints[pose::kNose] = {{40, 200}, 1};
  keypoints[pose::kLeftHip] = {{60, 600}, 1};
  keypoints[pose::kLeftKnee] = {{60, 900}, 1};
  expect_near(person_in(keypoints, {100, 1000}), {0.4, 0.16, 0.6, 0.624});
  keypoints[pose::kLeftAnkle] = {{60, 950}, 1};
  expect_near(person_in(keypoints, {100, 1000}), {0.4, 0.125, 0.6, 0.995});
}

TEST(PersonIn, IsTheWholePictureWhereNobodyIsSeen) {
  EXPECT_TRUE(person_in(pose::Keypoints{}, {100, 100}).is_whole());
  pose::Keypoints one{};
  one[0] = {{10, 10}, 1};
  EXPECT_TRUE(person_in(one, {100, 100}).is_whole());
  EXPECT_TRUE(person_in(Image(20, 30)).is_whole());
}

TEST(PersonIn, OfAPosePictureIsWhatIsDrawn) {
  Image pose(100, 200);
  pose.row(50)[3 * 20 + 1] = 255;
  pose.row(150)[3 * 70 + 2] = 60;
  pose.row(199)[3 * 99] = 20;  // what JPEG leaves around lines
  expect_near(person_in(pose), {0.2, 0.2, 0.7, 0.78});
}

TEST(CanvasFor, IsThePublishedOneForItsAspect) {
  const pose::Canvas whole = canvas_for({}, {512, 768});
  EXPECT_EQ(whole.width, pose::kCanvasWidth);
  EXPECT_EQ(whole.height, pose::kCanvasHeight);
  // A third of a wide picture: the canvas is that much wider, so that lines stay as wide as high.
  const pose::Canvas wide = canvas_for({0.5, 0, 0.75, 1}, {512, 768});
  EXPECT_EQ(wide.width, 4 * pose::kCanvasWidth);
  EXPECT_EQ(wide.height, pose::kCanvasHeight);
  const pose::Canvas square = canvas_for({}, {96, 96});
  EXPECT_EQ(square.width, square.height);
  EXPECT_NEAR(square.width * square.height, pose::kCanvasWidth * pose::kCanvasHeight, 1000);
  EXPECT_EQ(canvas_for({0.5, 0, 0.5001, 1}, {512, 768}).width, 8192);
}

TEST(SizeChoice, IsAutoOrPixels) {
  using Form = fields::TextForm<SizeChoice>;
  EXPECT_FALSE(Form::parse("auto").pixels);
  EXPECT_EQ(Form::parse("512x768").pixels, (PictureSize{512, 768}));
  EXPECT_EQ(Form::text({}), "auto");
  EXPECT_EQ(Form::text({PictureSize{64, 32}}), "64x32");
  for (const char* text : {"", "512", "512x", "AUTO", "512x768x3", "5e2x768"}) EXPECT_THROW(Form::parse(text), Error);
}

}  // namespace
}  // namespace unianimate::studio
