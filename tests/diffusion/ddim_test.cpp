#include "unianimate/diffusion/ddim.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/diffusion/sampling_loop.h"

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

using Model = std::function<at::Tensor(const at::Tensor& x, std::int64_t timestep)>;

/// x in any shape.
at::Tensor sample(const SamplerOptions& options, const at::Tensor& start, const Model& model, std::uint64_t seed = 0) {
  const NoiseSchedule schedule;
  const Denoiser denoise = [&](const at::Tensor& x, const Level& level, std::int64_t, const TakeOutput& take) {
    take(0, model(x, static_cast<std::int64_t>(level.time)).view(x.sizes()));
  };
  const auto sampler = make_sampler(schedule, options);
  const at::Tensor latent = start.clone().view({1, 1, -1, 1, 1});
  SamplingState state = sampling_state(*sampler, latent, make_generator(seed));
  SamplingObserver nobody;
  run_sampler(*sampler, schedule, denoise, state, nobody);
  return latent.view(start.sizes());
}

std::vector<std::int64_t> timesteps(const SamplerOptions& options) {
  const NoiseSchedule schedule;
  std::vector<std::int64_t> times;
  const auto sampler = make_sampler(schedule, options);
  for (const Level& level : sampler->levels()) {
    times.push_back(static_cast<std::int64_t>(level.time));
  }
  return times;
}

TEST(Ddim, MatchesThePublishedSampler) {
  const GoldenFile golden(testing::golden_folder() / "diffusion.safetensors");
  const std::vector<std::string> names = golden.names("ddim.");
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    const at::Tensor expected = golden.tensor(name);
    SamplerOptions options{.steps = std::stoll(name.substr(5))};
    std::uint64_t seed = 0;
    Model denoise = guided_v;
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
  const Model truth = [&](const at::Tensor&, std::int64_t t) {
    const double alpha = schedule.alpha_cumprod(t);
    return std::sqrt(alpha) * noise - std::sqrt(1 - alpha) * x0;
  };
  for (const TimestepRule rule : {TimestepRule::kPublished, TimestepRule::kTrailing}) {
    for (const std::int64_t steps : {1, 2, 7, 25, 30, 50, 100}) {
      const SamplerOptions options{.steps = steps, .timesteps = {rule}};
      const at::Tensor start = noised(schedule.at(static_cast<double>(timesteps(options).front())), x0, noise);
      const at::Tensor end = sample(options, start, truth);
      // The last step goes to timestep 0, which still has the little noise of the first beta.
      EXPECT_TRUE(at::allclose(end, noised(schedule.at(0), x0, noise), 1e-6, 1e-9)) << steps << " steps";
    }
  }
}

TEST(Ddim, StaysFiniteWhereTheFirstTimestepIsPureNoise) {
  const SamplerOptions options{.steps = 3};
  ASSERT_EQ(timesteps(options).front(), 999 + 1 - 1);
  EXPECT_TRUE(at::isfinite(sample(options, testing::rule_input("noise", {64}), guided_v)).all().item<bool>());
}

}  // namespace
}  // namespace unianimate::diffusion
