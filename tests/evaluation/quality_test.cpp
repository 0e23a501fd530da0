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

TEST(QualityMeter, ComparesSharpnessAndMovementOfWholeVideos) {
  const auto checkered = [](int base, int contrast) {
    Image image = filled(static_cast<std::uint8_t>(base));
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      const std::size_t pixel = i / Image::kChannels;
      if ((pixel % kSide + pixel / kSide) % 2 == 0) image.pixels[i] = static_cast<std::uint8_t>(base + contrast);
    }
    return image;
  };
  QualityMeter meter;
  meter.add(checkered(50, 10), checkered(50, 20));
  EXPECT_FALSE(meter.quality().movement) << "one frame does not move";
  meter.add(checkered(60, 30), checkered(90, 40));
  // A checker board of contrast c has the energy 16 c².
  EXPECT_DOUBLE_EQ(meter.quality().sharpness.value(), (100.0 + 900) / (400 + 1600));
  EXPECT_DOUBLE_EQ(meter.quality().movement.value(), (10.0 * 10 + 30 * 30) / (40 * 40 + 60 * 60));
  meter = {};
  meter.add(checkered(50, 10), filled(50));
  EXPECT_FALSE(meter.quality().sharpness) << "nothing is as sharp as what is flat";
}

TEST(QualityMeter, OfNothingIsZero) {
  EXPECT_EQ(QualityMeter().quality().psnr, 0);
}

TEST(MeanOf, TakesOptionalNumbersOverThoseThatHaveThem) {
  const std::array videos{Quality{20, 0.5, 0.1, 10, 0.3, 0.5}, Quality{30, 0.7, 0.3, std::nullopt, 0.1, 0.75, 2}};
  const Quality mean = mean_of(videos);
  EXPECT_DOUBLE_EQ(mean.psnr, 25);
  EXPECT_DOUBLE_EQ(mean.ssim, 0.6);
  EXPECT_DOUBLE_EQ(mean.mean_absolute_error, 0.2);
  EXPECT_DOUBLE_EQ(mean.consistency_error, 0.2);
  EXPECT_DOUBLE_EQ(mean.figure_psnr.value(), 10);
  EXPECT_DOUBLE_EQ(mean.sharpness.value(), 0.625);
  EXPECT_DOUBLE_EQ(mean.movement.value(), 2);
  EXPECT_EQ(mean_of({}).psnr, 0);
}

}  // namespace
}  // namespace unianimate::evaluation
