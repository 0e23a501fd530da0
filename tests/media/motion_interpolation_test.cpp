#include "unianimate/media/film/motion_interpolation.h"

#include <gmock/gmock.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "media/test_images.h"
#include "media/test_videos.h"
#include "support/temporary_folder.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/video_writer.h"

namespace unianimate {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

/// Keeps what it is given.
class Kept final : public FrameSink {
 public:
  explicit Kept(std::vector<Image>& frames) : frames_(frames) {}
  void write(const Image& frame) override { frames_.push_back(frame); }
  void finish() override { check_frame_count(static_cast<std::int64_t>(frames_.size()), "nowhere"); }
  [[nodiscard]] std::string trouble() const override { return "of the sink"; }

 private:
  std::vector<Image>& frames_;
};

std::vector<Image> interpolated(const std::vector<Image>& frames, int times) {
  std::vector<Image> shown;
  const auto sink = interpolate_motion(std::make_unique<Kept>(shown), frames[0].width, frames[0].height, times);
  for (const Image& frame : frames) sink->write(frame);
  sink->finish();
  return shown;
}

/// A square with a pattern before a plain wall, its left side at `left`.
Image square_at(int left) {
  constexpr int kTop = 40;
  constexpr int kSide = 48;
  Image image(160, 128);
  std::ranges::fill(image.pixels, std::uint8_t{40});
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      std::uint8_t* const pixel = &image.row(kTop + y)[static_cast<std::size_t>(left + x) * 3];
      pixel[0] = static_cast<std::uint8_t>(180 + 40 * std::sin(0.5 * x) * std::cos(0.3 * y));
      pixel[1] = static_cast<std::uint8_t>(140 + 30 * std::cos(0.4 * y + 0.2 * x));
      pixel[2] = 90;
    }
  }
  return image;
}

/// Where the bright mass lies in x.
double middle_of(const Image& image) {
  double mass = 0;
  double moment = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double value = image.row(y)[static_cast<std::size_t>(x) * 3] - 40.0;
      mass += value;
      moment += value * x;
    }
  }
  return moment / mass;
}

TEST(InterpolateMotion, PutsAMovingSquareBetween) {
  constexpr int kStep = 6;
  std::vector<Image> frames;
  for (int i = 0; i < 8; ++i) frames.push_back(square_at(10 + kStep * i));
  for (const int times : {2, 3, 4}) {
    const std::vector<Image> shown = interpolated(frames, times);
    ASSERT_EQ(shown.size(), frames.size() * static_cast<std::size_t>(times));
    for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
      for (int k = 1; k < times; ++k) {
        const Image& between = shown[i * static_cast<std::size_t>(times) + static_cast<std::size_t>(k)];
        const double expected = middle_of(frames[i]) + static_cast<double>(kStep * k) / times;
        EXPECT_NEAR(middle_of(between), expected, 1) << times << " times, after frame " << i;
        // A cross-fade of the two lies in the middle, too, but has two edges.
        const Image moved = square_at(10 + kStep * static_cast<int>(i) + kStep * k / times);
        if (kStep * k % times == 0 && i > 0) {
          EXPECT_GT(testing::psnr(between, moved), 28) << times << ", frame " << i;
        }
      }
    }
  }
}

class Interpolated : public ::testing::TestWithParam<std::tuple<int, int, int, int>> {};

TEST_P(Interpolated, KeepsEveryFrameAndTheDuration) {
  const auto [width, height, count, times] = GetParam();
  std::vector<Image> frames;
  for (int i = 0; i < count; ++i) frames.push_back(testing::waves(width, height, 3 * i));
  const std::vector<Image> shown = interpolated(frames, times);
  ASSERT_EQ(shown.size(), static_cast<std::size_t>(count * times));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(shown[i * static_cast<std::size_t>(times)].pixels, frames[i].pixels) << i;
  }
  for (std::size_t i = shown.size() - static_cast<std::size_t>(times); i < shown.size(); ++i) {
    EXPECT_EQ(shown[i].pixels, frames.back().pixels) << "nothing follows the last frame: " << i;
  }
  const std::vector<Image> again = interpolated(frames, times);
  for (std::size_t i = 0; i < shown.size(); ++i) EXPECT_EQ(shown[i].pixels, again[i].pixels) << i;
}

INSTANTIATE_TEST_SUITE_P(Sizes, Interpolated,
                         ::testing::Values(std::tuple{64, 96, 1, 2}, std::tuple{64, 96, 2, 2}, std::tuple{64, 96, 3, 3},
                                           std::tuple{64, 96, 12, 4}, std::tuple{70, 50, 6, 3}, std::tuple{1, 1, 5, 2},
                                           std::tuple{8, 40, 5, 4}, std::tuple{17, 3, 4, 2}));

// What is interpolated beside the last whole block is moved like the rest.
TEST(InterpolateMotion, MovesTheRightAndTheLowerEdge) {
  constexpr int kOddWidth = 75;
  constexpr int kOddHeight = 61;
  std::vector<Image> frames;
  for (int i = 0; i < 6; ++i) frames.push_back(testing::waves(kOddWidth, kOddHeight, 4 * i));
  const std::vector<Image> shown = interpolated(frames, 2);
  for (std::size_t i = 2; i + 3 < frames.size(); ++i) {
    EXPECT_GT(testing::psnr(shown[2 * i + 1], testing::waves(kOddWidth, kOddHeight, 4 * static_cast<int>(i) + 2)), 30)
        << i;
  }
}

TEST(InterpolateMotion, HandsFramesOnWhileTheyCome) {
  std::vector<Image> shown;
  const auto sink = interpolate_motion(std::make_unique<Kept>(shown), 32, 32, 2);
  for (int i = 0; i < 40; ++i) {
    sink->write(testing::waves(32, 32, i));
    EXPECT_GE(static_cast<int>(shown.size()), 2 * (i - 2));
  }
}

TEST(InterpolateMotion, ShowsTheNearerFrameAtACut) {
  const std::vector<Image> frames{testing::waves(64, 64, 0), testing::waves(64, 64, 1), testing::noise(64, 64, 1),
                                  testing::noise(64, 64, 1)};
  const std::vector<Image> shown = interpolated(frames, 3);
  EXPECT_GT(testing::psnr(shown[4], frames[1]), 35);
  EXPECT_GT(testing::psnr(shown[5], frames[2]), 25) << "colours of noise survive less";
}

TEST(InterpolateMotion, RefusesOtherNumbersAndSizesAndNothing) {
  std::vector<Image> shown;
  for (const int times : {-1, 0, 1, 5}) {
    EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { interpolate_motion(std::make_unique<Kept>(shown), 8, 8, times); }),
                HasSubstr("2 to 4 times"));
  }
  const auto sink = interpolate_motion(std::make_unique<Kept>(shown), 8, 8, 2);
  error_of(ErrorKind::kUsage, [&] { sink->write(Image(8, 9)); });
  error_of(ErrorKind::kUsage, [&] { sink->finish(); });
  EXPECT_EQ(sink->trouble(), "of the sink");
}

class InterpolatedFile : public ::testing::TestWithParam<const char*> {};

TEST_P(InterpolatedFile, PlaysAsLong) {
  constexpr int kFrames = 9;
  const testing::TemporaryFolder folder;
  const auto path = folder / GetParam();
  const auto sink =
      interpolate_motion(open_video_writer(path, {.width = 48, .height = 32, .frames_per_second = 15}), 48, 32, 3);
  for (int i = 0; i < kFrames; ++i) sink->write(testing::waves(48, 32, 2 * i));
  sink->finish();
  const auto source = open_frame_source(path);
  int count = 0;
  double last = 0;
  while (const auto frame = source->next()) {
    ++count;
    last = frame->seconds;
  }
  EXPECT_EQ(count, 3 * kFrames);
  if (path.has_extension()) {
    EXPECT_NEAR(last, (3 * kFrames - 1) / 15.0, 0.02);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, InterpolatedFile, ::testing::Values("a.mp4", "a.webm", "a.mkv", "a.gif", "folder/"));

}  // namespace
}  // namespace unianimate
