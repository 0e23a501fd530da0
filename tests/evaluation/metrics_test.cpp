// The measures of quality against golden numbers, closed forms and their own definitions.
#include "unianimate/evaluation/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

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
