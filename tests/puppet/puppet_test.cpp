// Procedural people: the same from the same seed, unlike each other, and where their points say they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <string>

#include "unianimate/core/error.h"
#include "unianimate/puppet/clip_poses.h"

namespace unianimate::puppet {
namespace {

ClipOptions small_clip(std::uint64_t seed, MotionKind motion = MotionKind::kDance) {
  ClipOptions options;
  options.seed = seed;
  options.width = 96;
  options.height = 128;
  options.motion = motion;
  return options;
}

constexpr MotionKind kKinds[] = {MotionKind::kDance, MotionKind::kWalk, MotionKind::kWave};

TEST(Clip, TheSameSeedGivesTheSamePixels) {
  for (const MotionKind kind : kKinds) {
    const Clip first(small_clip(7, kind));
    const Clip second(small_clip(7, kind));
    EXPECT_EQ(first.frame(5), second.frame(5));
    EXPECT_EQ(first.reference(), second.reference());
  }
}

TEST(Identity, OfASeedIsTheSameWithEveryCompiler) {
  const auto expect_near = [](const Colour& found, const Colour& expected) {
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4);
  };
  const Identity identity = make_identity(7);
  expect_near(identity.clothes.shirt, {0.4927, 0.5454, 0.1769});
  expect_near(identity.face.lips, {0.5722, 0.2748, 0.2561});
  EXPECT_NEAR(identity.face.eye_distance, 0.41267, 1e-5);
  const Background background = make_background(7);
  expect_near(background.first, {0.3088, 0.5412, 0.3095});
  expect_near(background.second, {0.4493, 0.6912, 0.6380});
  EXPECT_NEAR(Motion(MotionKind::kWalk, 7).at(0.3).leg[kRight], 0.371147, 1e-6);
}

TEST(Clip, TheFrameRateDoesNotChangeTheMovement) {
  ClipOptions slow = small_clip(7);
  slow.frames_per_second = 8;
  ClipOptions fast = small_clip(7);
  fast.frames_per_second = 24;
  EXPECT_EQ(Clip(slow).frame(4), Clip(fast).frame(12));
}

TEST(Clip, PeopleAreUnlikeEachOther) {
  std::set<std::string> pictures;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Image picture = Clip(small_clip(seed)).reference();
    pictures.emplace(picture.pixels.begin(), picture.pixels.end());
  }
  EXPECT_EQ(pictures.size(), 50U);
}

TEST(Clip, PeopleMoveSmoothlyAndWithoutEnd) {
  for (const MotionKind kind : kKinds) {
    const Clip clip(small_clip(3, kind));
    double way = 0;
    for (std::int64_t i = 0; i < 200; ++i) {
      const double step =
          pose::distance(clip.keypoints(i)[pose::kLeftWrist].at, clip.keypoints(i + 1)[pose::kLeftWrist].at);
      EXPECT_LT(step, 20) << "frame " << i;
      way += step;
    }
    EXPECT_GT(way, 20);
  }
}

TEST(Clip, EveryPointIsKnownAndFinite) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const MotionKind kind : kKinds) {
      for (const pose::Keypoint& point : Clip(small_clip(seed, kind)).keypoints(11)) {
        EXPECT_TRUE(std::isfinite(point.at.x) && std::isfinite(point.at.y));
        EXPECT_EQ(point.score, 1);
      }
    }
  }
}

TEST(Clip, BonesKeepTheirLengths) {
  const Clip clip(small_clip(9));
  const auto forearm = [&](std::int64_t frame) {
    const pose::Keypoints points = clip.keypoints(frame);
    return pose::distance(points[pose::kRightElbow].at, points[pose::kRightWrist].at);
  };
  for (std::int64_t frame = 1; frame < 40; ++frame) EXPECT_NEAR(forearm(frame), forearm(0), 1e-9);
}

// Where somebody is, the picture is not the background.
TEST(Clip, ThePersonIsDrawnWhereThePointsAre) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const ClipOptions options = small_clip(seed);
    const Clip clip(options);
    const Image background = draw_background(make_background(seed), options.width, options.height);
    const Image frame = clip.frame(0);
    const pose::Keypoints points = clip.keypoints(0);
    int inside = 0;
    int drawn = 0;
    for (std::size_t i = 0; i < pose::kBodyPoints; ++i) {
      const auto x = static_cast<int>(points[i].at.x);
      const auto y = static_cast<int>(points[i].at.y);
      if (x < 0 || y < 0 || x >= options.width || y >= options.height) continue;
      ++inside;
      const std::size_t first = static_cast<std::size_t>(x) * Image::kChannels;
      bool differs = false;
      for (std::size_t channel = 0; channel < Image::kChannels; ++channel) {
        differs = differs || frame.row(y)[first + channel] != background.row(y)[first + channel];
      }
      drawn += differs ? 1 : 0;
    }
    EXPECT_GE(inside, 12);
    EXPECT_EQ(drawn, inside) << "seed " << seed;
  }
}

TEST(Clip, RefusesWhatCannotBeDrawn) {
  ClipOptions small = small_clip(1);
  small.width = 8;
  EXPECT_THROW(small.check(), Error);
  ClipOptions none = small_clip(1);
  none.frames = 0;
  EXPECT_THROW(none.check(), Error);
  ClipOptions rate = small_clip(1);
  rate.frames_per_second = std::nan("");
  EXPECT_THROW(rate.check(), Error);
  EXPECT_THROW(parse_motion("fly"), Error);
}

TEST(FigureMask, IsWhereThePersonIs) {
  const Clip clip(small_clip(11));
  const std::vector<std::uint8_t> mask = clip.figure_mask(3);
  ASSERT_EQ(mask.size(), 96U * 128U);
  const auto at = [&](const pose::Keypoints& points, std::size_t point) {
    const auto x = static_cast<std::size_t>(points[point].at.x);
    const auto y = static_cast<std::size_t>(points[point].at.y);
    return mask[y * 96 + x];
  };
  const pose::Keypoints points = clip.keypoints(3);
  for (const std::size_t point : {pose::kNose, pose::kNeck, pose::kRightKnee, pose::kLeftElbow}) {
    EXPECT_EQ(at(points, point), 255) << point;
  }
  EXPECT_EQ(mask.front(), 0);
  EXPECT_EQ(mask.back(), 0);
}

TEST(FigureMask, SeparatesWhatChangesWithTheBackgroundFromWhatDoesNot) {
  const Identity identity = make_identity(4);
  const Posture posture = Motion(MotionKind::kDance, 4).at(1);
  const Stage stage = stage_for(96, 128);
  const pose::Keypoints points = place_body(posture, identity, stage);
  const std::vector<std::uint8_t> mask = figure_mask(96, 128, identity, posture, points, stage.height);
  Image grey(96, 128);
  std::ranges::fill(grey.pixels, std::uint8_t{128});
  const Image empty = grey;
  draw_person(grey, identity, posture, points, stage.height);
  std::size_t covered = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const auto pixel = std::span(grey.pixels).subspan(i * Image::kChannels, Image::kChannels);
    const bool untouched = std::ranges::equal(pixel, std::span(empty.pixels).subspan(i * Image::kChannels, 3));
    if (untouched) {
      EXPECT_EQ(mask[i], 0) << i;
    }
    covered += mask[i] != 0 ? 1 : 0;
  }
  EXPECT_GT(covered, mask.size() / 20);
  EXPECT_LT(covered, mask.size() / 2);
}

TEST(ClipPoses, AreOnTheCanvasOfPublishedPosePictures) {
  const Clip clip(small_clip(5));
  const pose::AlignedPoses poses = poses_of(clip);
  EXPECT_EQ(poses.motion.width, 512);
  EXPECT_EQ(poses.motion.height, 683);
  ASSERT_EQ(poses.motion.frames.size(), 64U);
  const pose::Point on_canvas = poses.motion.frames[2].people.front().keypoints[pose::kNose].at;
  EXPECT_NEAR(on_canvas.x, clip.keypoints(2)[pose::kNose].at.x * 512 / 96, 1e-9);
}

}  // namespace
}  // namespace unianimate::puppet
