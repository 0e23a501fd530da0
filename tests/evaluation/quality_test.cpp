// The few numbers of a video: means over frames, and over videos.
#include "unianimate/evaluation/quality.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace unianimate::evaluation {
namespace {

constexpr int kSide = 16;

Image filled(std::uint8_t value) {
  Image image(kSide, kSide);
  std::ranges::fill(image.pixels, value);
  return image;
}

TEST(QualityMeter, TakesTheMeanOverFrames) {
  QualityMeter meter;
  meter.add(filled(100), filled(100));
  meter.add(filled(100), filled(110));
  const Quality quality = meter.quality();
  EXPECT_EQ(meter.frames(), 2);
  EXPECT_DOUBLE_EQ(quality.psnr, (100 + psnr(filled(100), filled(110))) / 2);
  EXPECT_DOUBLE_EQ(quality.ssim, (1 + ssim(filled(100), filled(110))) / 2);
  EXPECT_DOUBLE_EQ(quality.mean_absolute_error, 5.0 / 255);
  EXPECT_DOUBLE_EQ(quality.consistency_error, 10.0 / 255);
  EXPECT_FALSE(quality.figure_psnr);
}

TEST(QualityMeter, LeavesOutFramesWithoutAFigure) {
  std::vector<std::uint8_t> figure(kSide * kSide, 0);
  QualityMeter meter;
  meter.add(filled(0), filled(200), figure);
  EXPECT_FALSE(meter.quality().figure_psnr);
  Image made = filled(100);
  made.pixels[5 * Image::kChannels] += 30;
  figure[5] = 1;
  meter.add(made, filled(100), figure);
  EXPECT_DOUBLE_EQ(meter.quality().figure_psnr.value(), masked_psnr(made, filled(100), figure));
}

TEST(QualityMeter, OfNothingIsZero) {
  EXPECT_EQ(QualityMeter().quality().psnr, 0);
}

TEST(MeanOf, TakesFigurePsnrOverThoseThatHaveIt) {
  const std::array videos{Quality{20, 0.5, 0.1, 10, 0.3}, Quality{30, 0.7, 0.3, std::nullopt, 0.1}};
  const Quality mean = mean_of(videos);
  EXPECT_DOUBLE_EQ(mean.psnr, 25);
  EXPECT_DOUBLE_EQ(mean.ssim, 0.6);
  EXPECT_DOUBLE_EQ(mean.mean_absolute_error, 0.2);
  EXPECT_DOUBLE_EQ(mean.consistency_error, 0.2);
  EXPECT_DOUBLE_EQ(mean.figure_psnr.value(), 10);
  EXPECT_EQ(mean_of({}).psnr, 0);
}

}  // namespace
}  // namespace unianimate::evaluation
