// The measures of quality against golden numbers, closed forms and their own definitions.
#include "unianimate/evaluation/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "support/golden_file.h"
#include "unianimate/core/error.h"

namespace unianimate::evaluation {
namespace {

Image image_of(const at::Tensor& bytes) {
  const at::Tensor dense = bytes.contiguous();
  Image image(static_cast<int>(dense.size(1)), static_cast<int>(dense.size(0)));
  std::copy_n(dense.data_ptr<std::uint8_t>(), dense.numel(), image.pixels.begin());
  return image;
}

Image filled(int width, int height, std::uint8_t value) {
  Image image(width, height);
  std::ranges::fill(image.pixels, value);
  return image;
}

class GoldenMetrics : public ::testing::Test {
 protected:
  testing::GoldenFile golden_{testing::golden_folder() / "metrics.safetensors"};
  Image a_ = image_of(golden_.tensor("a"));
  Image b_ = image_of(golden_.tensor("b"));

  [[nodiscard]] double expected(const std::string& name) const { return golden_.metadata(name).get<double>(); }
};

constexpr double kTolerance = 1e-9;

TEST_F(GoldenMetrics, AreTheExpectedNumbers) {
  EXPECT_NEAR(psnr(a_, b_), expected("psnr"), kTolerance);
  EXPECT_NEAR(mean_absolute_error(a_, b_), expected("l1"), kTolerance);
  EXPECT_NEAR(ssim(a_, b_), expected("ssim_gaussian"), kTolerance);
  EXPECT_NEAR(ssim(a_, b_, SsimWindow::kUniform7), expected("ssim_uniform7"), kTolerance);
}

TEST_F(GoldenMetrics, DoNotDependOnTheOrder) {
  EXPECT_DOUBLE_EQ(psnr(a_, b_), psnr(b_, a_));
  EXPECT_DOUBLE_EQ(ssim(a_, b_), ssim(b_, a_));
}

TEST_F(GoldenMetrics, AMaskOfEverythingChangesNothing) {
  const std::size_t pixels = a_.pixels.size() / Image::kChannels;
  EXPECT_DOUBLE_EQ(masked_psnr(a_, b_, std::vector<std::uint8_t>(pixels, 1)), psnr(a_, b_));
}

TEST(Metrics, EqualPicturesAreAsNearAsCanBe) {
  const Image picture = filled(16, 12, 90);
  EXPECT_TRUE(std::isinf(psnr(picture, picture)));
  EXPECT_DOUBLE_EQ(ssim(picture, picture), 1);
  EXPECT_EQ(mean_absolute_error(picture, picture), 0);
}

TEST(Metrics, ConstantErrorsHaveClosedForms) {
  const Image a = filled(16, 12, 100);
  const Image b = filled(16, 12, 110);
  EXPECT_DOUBLE_EQ(psnr(a, b), 20 * std::log10(25.5));
  EXPECT_DOUBLE_EQ(mean_absolute_error(a, b), 10 / 255.0);
  // Without variance only the luminance term is left.
  const double c1 = 2.55 * 2.55;
  EXPECT_NEAR(ssim(a, b), (2 * 100.0 * 110 + c1) / (100.0 * 100 + 110.0 * 110 + c1), 1e-9);
}

TEST(Metrics, AMaskLooksOnlyWhereItIsSet) {
  const Image a = filled(4, 1, 100);
  Image b = a;
  b.pixels[0] = 0;
  EXPECT_TRUE(std::isinf(masked_psnr(a, b, {0, 1, 1, 1})));
  EXPECT_DOUBLE_EQ(masked_psnr(a, b, {1, 0, 0, 0}), 10 * std::log10(255.0 * 255.0 * 3 / (100.0 * 100.0)));
  EXPECT_TRUE(std::isinf(masked_psnr(a, b, {0, 0, 0, 0})));
}

TEST(LaplacianEnergy, HasClosedForms) {
  EXPECT_EQ(laplacian_energy(filled(6, 5, 90)), 0);
  Image ramp(6, 5);
  for (int y = 0; y < 5; ++y) {
    for (std::size_t i = 0; i < ramp.row(y).size(); ++i) {
      ramp.row(y)[i] = static_cast<std::uint8_t>(10 * (i / Image::kChannels) + 7 * static_cast<std::size_t>(y));
    }
  }
  EXPECT_EQ(laplacian_energy(ramp), 0) << "an even slope is not sharp";
  Image dot(5, 5);
  std::ranges::fill(dot.row(2).subspan(std::size_t{2} * Image::kChannels, Image::kChannels), 51);
  // The dot itself is 4, its four neighbours are −1, of nine pixels.
  EXPECT_DOUBLE_EQ(laplacian_energy(dot), (16 + 4) * 0.2 * 0.2 / 9);
  EXPECT_EQ(laplacian_energy(filled(2, 9, 3)), 0) << "no pixel has four neighbours";
  EXPECT_EQ(laplacian_energy(Image()), 0);
}

TEST(LaplacianEnergy, IsItsDefinition) {
  std::mt19937 random(3);
  Image picture(7, 9);
  for (std::uint8_t& value : picture.pixels) value = static_cast<std::uint8_t>(random());
  const auto value = [&](int x, int y, int channel) {
    return picture.row(y)[static_cast<std::size_t>(x * Image::kChannels + channel)] / 255.0;
  };
  double sum = 0;
  for (int y = 1; y < 8; ++y) {
    for (int x = 1; x < 6; ++x) {
      for (int c = 0; c < Image::kChannels; ++c) {
        const double laplacian =
            4 * value(x, y, c) - value(x - 1, y, c) - value(x + 1, y, c) - value(x, y - 1, c) - value(x, y + 1, c);
        sum += laplacian * laplacian;
      }
    }
  }
  EXPECT_NEAR(laplacian_energy(picture), sum / (7 * 5 * Image::kChannels), kTolerance);
}

TEST(ChangeEnergy, OfAConstantChangeIsItsSquare) {
  EXPECT_DOUBLE_EQ(change_energy(filled(4, 3, 100), filled(4, 3, 151)), 0.2 * 0.2);
  EXPECT_THROW(static_cast<void>(change_energy(filled(4, 3, 0), filled(3, 4, 0))), Error);
}

TEST(FrameConsistencyTest, TellsHowMuchMoves) {
  FrameConsistency half;
  FrameConsistency still;
  for (int i = 0; i < 4; ++i) {
    half.add(filled(4, 4, 100 + 10 * i), filled(4, 4, 200 - 20 * i));
    still.add(filled(4, 4, 100 + 10 * i), filled(4, 4, 70));
  }
  EXPECT_DOUBLE_EQ(half.movement().value(), 0.25);
  EXPECT_FALSE(still.movement()) << "the other one stands still";
  EXPECT_FALSE(FrameConsistency().movement());
}

TEST(FrameConsistencyTest, LooksAtChangesAlone) {
  FrameConsistency same;
  FrameConsistency flicker;
  for (int i = 0; i < 6; ++i) {
    const auto value = static_cast<std::uint8_t>(50 + 10 * i);
    same.add(filled(4, 4, value), filled(4, 4, value + 20));
    flicker.add(filled(4, 4, 50), filled(4, 4, i % 2 == 0 ? 50 : 101));
  }
  EXPECT_EQ(same.error(), 0);
  EXPECT_DOUBLE_EQ(flicker.error(), 51 / 255.0);
  EXPECT_EQ(FrameConsistency().error(), 0);
}

TEST(Metrics, RefuseWhatCannotBeCompared) {
  EXPECT_THROW(static_cast<void>(psnr(filled(4, 4, 0), filled(4, 5, 0))), Error);
  EXPECT_THROW(static_cast<void>(ssim(filled(8, 8, 0), filled(8, 8, 0))), Error) << "smaller than the window";
  EXPECT_THROW(static_cast<void>(masked_psnr(filled(2, 2, 0), filled(2, 2, 0), {1, 1, 1})), Error);
}

}  // namespace
}  // namespace unianimate::evaluation
