#include "unianimate/diffusion/ddim.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/core/error.h"
#include "unianimate/core/random.h"

namespace unianimate::diffusion {
namespace {

using testing::GoldenFile;

/// The analytic model of the golden file: v(x, t, c) = sin(3x + 0.01t) + c·cos(x).
at::Tensor analytic_v(const at::Tensor& x, std::int64_t t, double c) {
  return at::sin(3 * x + 0.01 * static_cast<double>(t)) + c * at::cos(x);
}

at::Tensor guided_v(const at::Tensor& x, std::int64_t t) {
  const at::Tensor unconditional = analytic_v(x, t, 0.0);
  return unconditional + 2.5 * (analytic_v(x, t, 0.3) - unconditional);
}

at::Tensor sample(const DdimOptions& options, const at::Tensor& start, const Denoiser& denoise,
                  std::uint64_t seed = 0) {
  Progress silent;
  return ddim_sample(NoiseSchedule(), options, start, denoise, make_generator(seed), silent);
}

TEST(Ddim, MatchesThePublishedSampler) {
  const GoldenFile golden(testing::golden_folder() / "diffusion.safetensors");
  const std::vector<std::string> names = golden.names("ddim.");
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    const at::Tensor expected = golden.tensor(name);
    DdimOptions options{.steps = std::stoll(name.substr(5))};
    std::uint64_t seed = 0;
    Denoiser denoise = guided_v;
    if (const std::size_t at = name.find(".eta"); at != std::string::npos) {
      options.eta = std::stod(name.substr(at + 4));
      seed = std::stoull(name.substr(name.find("seed") + 4));
    }
    if (name.ends_with(".noguide")) {
      denoise = [](const at::Tensor& x, std::int64_t t) { return analytic_v(x, t, 0.3); };
    }
    const at::Tensor start = testing::rule_input("noise", expected.sizes());
    EXPECT_LE(testing::relative_error(sample(options, start, denoise, seed), expected), 1e-5) << name;
  }
}

TEST(Ddim, WithTheTrueVItEndsAtTheCleanLatent) {
  const NoiseSchedule schedule;
  const at::Tensor x0 = testing::rule_input("x0", {32}).to(at::kDouble);
  const at::Tensor noise = testing::rule_input("noise", {32}).to(at::kDouble);
  const Denoiser truth = [&](const at::Tensor&, std::int64_t t) {
    const double alpha = schedule.alpha_cumprod(t);
    return std::sqrt(alpha) * noise - std::sqrt(1 - alpha) * x0;
  };
  for (const TimestepSpacing spacing : {TimestepSpacing::kLeading, TimestepSpacing::kTrailing}) {
    for (const std::int64_t steps : {1, 2, 7, 25, 30, 50, 100}) {
      const DdimOptions options{.steps = steps, .spacing = spacing};
      const at::Tensor start = schedule.q_sample(x0, options.timesteps().front(), noise);
      const at::Tensor end = sample(options, start, truth);
      // The last step goes to timestep 0, which still has the little noise of the first beta.
      EXPECT_TRUE(at::allclose(end, schedule.q_sample(x0, 0, noise), 1e-6, 1e-9)) << steps << " steps";
    }
  }
}

TEST(Ddim, StaysFiniteWhereTheFirstTimestepIsPureNoise) {
  const DdimOptions options{.steps = 3};
  ASSERT_EQ(options.timesteps().front(), 999 + 1 - 1);
  EXPECT_TRUE(at::isfinite(sample(options, testing::rule_input("noise", {64}), guided_v)).all().item<bool>());
}

TEST(Ddim, TimestepsAreThePublishedOnes) {
  const std::vector<std::int64_t> thirty = DdimOptions{.steps = 30}.timesteps();
  EXPECT_EQ(thirty.size(), 31U);
  EXPECT_EQ(thirty.front(), 991);
  EXPECT_EQ(thirty.back(), 1);
  EXPECT_EQ((DdimOptions{.steps = 1}.timesteps()), std::vector<std::int64_t>{1});
}

TEST(Ddim, TrailingTimestepsBeginAtPureNoise) {
  const auto trailing = [](std::int64_t steps) {
    return DdimOptions{.steps = steps, .spacing = TimestepSpacing::kTrailing}.timesteps();
  };
  EXPECT_EQ(trailing(1), std::vector<std::int64_t>{999});
  EXPECT_EQ(trailing(3), (std::vector<std::int64_t>{999, 666, 332}));
  EXPECT_EQ(trailing(5), (std::vector<std::int64_t>{999, 799, 599, 399, 199}));
  EXPECT_EQ(trailing(1000).back(), 0);
  EXPECT_THROW(parse_timestep_spacing("linspace"), Error);
}

TEST(Ddim, CancelsBetweenSteps) {
  struct StopAfterTwo : Progress {
    [[nodiscard]] bool cancelled() const override { return calls >= 2; }
    int calls = 0;
  } progress;
  const Denoiser counting = [&](const at::Tensor& x, std::int64_t t) {
    ++progress.calls;
    return guided_v(x, t);
  };
  EXPECT_THROW(ddim_sample(NoiseSchedule(), {.steps = 10}, at::zeros({4}), counting, std::nullopt, progress), Error);
  EXPECT_EQ(progress.calls, 2);
}

TEST(Ddim, RefusesStepsAndEtaOutOfRange) {
  EXPECT_THROW(DdimOptions{.steps = 0}.check(), Error);
  EXPECT_THROW(DdimOptions{.steps = 1001}.check(), Error);
  EXPECT_THROW((DdimOptions{.steps = 10, .eta = std::nan("")}.check()), Error);
}

}  // namespace
}  // namespace unianimate::diffusion
