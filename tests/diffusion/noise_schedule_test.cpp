#include "unianimate/diffusion/noise_schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/golden_file.h"
#include "support/rule.h"

namespace unianimate::diffusion {
namespace {

using testing::GoldenFile;

class NoiseScheduleGolden : public ::testing::Test {
 protected:
  GoldenFile golden_{testing::golden_folder() / "diffusion.safetensors"};
  NoiseSchedule schedule_;
};

void expect_all_near(const std::vector<double>& found, const at::Tensor& expected) {
  ASSERT_EQ(expected.numel(), static_cast<std::int64_t>(found.size()));
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected.data_ptr<double>()[i], 1e-12) << i;
}

TEST_F(NoiseScheduleGolden, BetasAndAlphasMatch) {
  expect_all_near(schedule_.betas(), golden_.tensor("betas"));
  expect_all_near(schedule_.alphas_cumprod(), golden_.tensor("alphas_cumprod"));
}

TEST_F(NoiseScheduleGolden, NoisingMatches) {
  const std::vector<std::string> names = golden_.names("q_sample.");
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    const at::Tensor expected = golden_.tensor(name);
    const at::Tensor x0 = testing::rule_input("x0", expected.sizes());
    const at::Tensor noise = testing::rule_input("noise", expected.sizes());
    const std::int64_t timestep = std::stoll(name.substr(std::string("q_sample.").size()));
    EXPECT_LE(testing::relative_error(noised(schedule_.at(static_cast<double>(timestep)), x0, noise), expected), 1e-7)
        << name;
  }
}

TEST(NoiseSchedule, EndsInPureNoise) {
  EXPECT_EQ(NoiseSchedule().alpha_cumprod(999), 0.0);
}

TEST(NoiseSchedule, TheTrueVGivesBackPictureAndNoiseAtEveryTimestep) {
  const NoiseSchedule schedule;
  const at::Tensor x0 = testing::rule_input("x0", {64}).to(at::kDouble);
  const at::Tensor noise = testing::rule_input("noise", {64}).to(at::kDouble);
  for (const std::int64_t timestep : {0, 1, 500, 998, 999}) {
    const double alpha = schedule.alpha_cumprod(timestep);
    const at::Tensor v = std::sqrt(alpha) * noise - std::sqrt(1 - alpha) * x0;
    const Level level = schedule.at(static_cast<double>(timestep));
    const auto [found_x0, found_eps] = schedule.prediction(level, noised(level, x0, noise), v);
    EXPECT_TRUE(at::allclose(found_x0, x0)) << timestep;
    EXPECT_TRUE(at::allclose(found_eps, noise)) << timestep;
  }
}

}  // namespace
}  // namespace unianimate::diffusion
