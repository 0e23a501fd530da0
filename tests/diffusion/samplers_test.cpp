// What holds for samplers without golden files.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "diffusion/closed_models.h"
#include "support/golden_file.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/dpm_solver.h"
#include "unianimate/diffusion/sampling_loop.h"
#include "unianimate/diffusion/unipc.h"

namespace unianimate::diffusion {
namespace {

using testing::closed_model;
using testing::relative_error;
using testing::sampler_input;

/// Where it looks for the part of the latent that it is asked about, `at_once` frames at a time.
Denoiser denoiser_of(const testing::ClosedModel& model, std::int64_t at_once) {
  return [=](const at::Tensor& x, const Level& level, std::int64_t, const TakeOutput& take) {
    const at::Tensor v = model(x, static_cast<std::int64_t>(level.time)).to(x.scalar_type());
    for (std::int64_t first = 0; first < x.size(2); first += at_once) {
      take(first, v.narrow(2, first, std::min(at_once, x.size(2) - first)));
    }
  };
}

at::Tensor sample(const Sampler& sampler, const std::string& model, at::ScalarType type = at::kDouble,
                  std::int64_t at_once = 3) {
  const at::Tensor x = sampler_input("sampler_start").to(type).clone();
  SamplingState state = sampling_state(sampler, x, make_generator(11));
  SamplingObserver nobody;
  run_sampler(sampler, NoiseSchedule(), denoiser_of(closed_model(model), at_once), state, nobody);
  return x;
}

std::unique_ptr<Sampler> make(std::string_view name, std::int64_t steps, const std::string& timesteps) {
  return make_sampler(NoiseSchedule(), {.steps = steps, .timesteps = TimestepList::parse(timesteps), .sampler = name});
}

double rms(const at::Tensor& difference) {
  return difference.square().mean().sqrt().item<double>();
}

/// From 999 to the clean latent.
double gauss_error(std::string_view name, std::int64_t steps) {
  const at::Tensor exact = testing::gauss_solution(sampler_input("sampler_start"), NoiseSchedule().at(999), Level{});
  return rms(sample(*make(name, steps, "trailing"), "gauss") - exact);
}

TEST(Samplers, TheErrorFallsAsExpectedOnTrailingTimesteps) {
  const auto slope = [](std::string_view name) {
    return std::log(gauss_error(name, 20) / gauss_error(name, 100)) / std::log(20.0 / 100);
  };
  for (const std::string_view name : {"dpmpp-2m", "unipc"}) {
    EXPECT_LT(slope(name), -0.9) << name;
    EXPECT_GT(slope(name), -1.4) << name;
    EXPECT_LT(gauss_error(name, 20), 0.8 * gauss_error("euler", 20)) << name;
  }
  EXPECT_LT(slope("euler"), -0.8);
  EXPECT_GT(slope("euler"), -1);
}

TEST(Samplers, AreOfTheOrderTheySay) {
  // Between two fixed timesteps, where λ goes the same way however many the steps: what is left of the last step.
  const NoiseSchedule schedule;
  const auto error = [&](std::string_view name, std::int64_t steps) {
    const auto sampler = make(name, steps + 1, "899-199");
    at::Tensor x = sampler_input("sampler_start");
    const at::Tensor exact = testing::gauss_solution(x, schedule.at(899), schedule.at(199));
    const SamplingState state = sampling_state(*sampler, x, at::Generator());
    for (std::size_t i = 0; i < static_cast<std::size_t>(steps); ++i) {
      const Level& level = sampler->levels()[i];
      const at::Tensor v = closed_model("gauss")(x, static_cast<std::int64_t>(level.time));
      x = sampler->step(i, x, schedule.prediction(level, x, v), state.kept, {});
    }
    return rms(x - exact);
  };
  for (const auto& [name, order] : {std::pair("euler", 1), {"ddim", 1}, {"dpmpp-2m", 2}, {"unipc", 2}}) {
    const double found = std::log2(error(name, 50) / error(name, 100));
    EXPECT_GT(found, order - 0.3) << name;
  }
  EXPECT_LT(error("dpmpp-2m", 50), error("ddim", 50) / 10);
}

TEST(Samplers, OfFirstOrderAreDdim) {
  const NoiseSchedule schedule;
  SamplerOptions options{.steps = 12, .timesteps = TimestepList::parse("949-25"), .final_level = FinalLevel::kZero};
  const MultistepLevels levels(schedule, options);
  const at::Tensor ddim = sample(*make_sampler(schedule, options), "mlp");
  EXPECT_LE(relative_error(sample(*make("euler", 12, "949-25"), "mlp"), ddim), 0);
  EXPECT_LE(relative_error(sample(*make_dpm_solver(levels, std::vector<int>(12, 1), false), "mlp"), ddim), 1e-13);
  const std::vector<UniPcStep> plain(12, {1, false});
  EXPECT_LE(relative_error(sample(*make_unipc(levels, plain, UniPcB::kBh2), "mlp"), ddim), 1e-13);
  options.sampler = "tcd";
  options.eta = 0;
  EXPECT_LE(relative_error(sample(*make_sampler(schedule, options), "mlp"), ddim), 1e-13);
}

TEST(Samplers, WithNoiseOfFirstOrderAreAncestral) {
  const NoiseSchedule schedule;
  SamplerOptions options{
      .steps = 12, .timesteps = TimestepList::parse("949-25"), .final_level = FinalLevel::kZero, .eta = 1};
  const MultistepLevels levels(schedule, options);
  const at::Tensor ancestral = sample(*make_sampler(schedule, options), "mlp", at::kFloat);
  const auto sde = make_dpm_solver(levels, std::vector<int>(12, 1), true);
  EXPECT_LE(relative_error(sample(*sde, "mlp", at::kFloat), ancestral), 1e-6);
  EXPECT_LE(relative_error(sample(*make("euler-ancestral", 12, "949-25"), "mlp", at::kFloat), ancestral), 0);
}

/// From 999 on, one step.
at::Tensor first_step(const Sampler& sampler, const at::Tensor& noise) {
  const NoiseSchedule schedule;
  const at::Tensor x = sampler_input("sampler_start");
  const SamplingState state = sampling_state(sampler, x, at::Generator());
  const Level& level = sampler.levels()[0];
  EXPECT_EQ(level.time, 999);
  return sampler.step(0, x, schedule.prediction(level, x, closed_model("mlp")(x, 999)), state.kept, noise);
}

TEST(Samplers, FromPureNoiseGoWhereTheLimitLeads) {
  const NoiseSchedule schedule;
  const at::Tensor x = sampler_input("sampler_start");
  const at::Tensor noise = sampler_input("sampler_noise.0");
  const at::Tensor x0 = -closed_model("mlp")(x, 999);
  const Level to = schedule.at(749);
  const auto step = [&](std::string_view name) { return first_step(*make(name, 4, "trailing"), noise); };
  for (const std::string_view name : {"ddim", "euler"}) {
    EXPECT_LE(relative_error(step(name), noised(to, x0, x)), 1e-14) << name;
  }
  for (const std::string_view name : {"dpmpp-2m", "unipc", "unipc-bh1"}) {
    EXPECT_LE(relative_error(step(name), noised(to, x0, x)), 3e-4) << name;
  }
  EXPECT_LE(relative_error(step("euler-ancestral"), noised(to, x0, noise)), 1e-7);
  EXPECT_LE(relative_error(step("dpmpp-2m-sde"), noised(to, x0, noise)), 2e-3);
  EXPECT_LE(relative_error(step("lcm"), noised(to, x0, noise)), 1e-6);
}

TEST(Samplers, EndWhereTheFinalLevelSays) {
  // Of data of one value every solver finds it, and what is left beside it is the noise of the final level.
  const NoiseSchedule schedule;
  const at::Tensor x0 = sampler_input("sampler_mu");
  const auto end = [&](const SamplerOptions& options) {
    const auto sampler = make_sampler(schedule, options);
    at::Tensor x = sampler_input("sampler_start");
    const SamplingState state = sampling_state(*sampler, x, at::Generator());
    for (std::size_t i = 0; i < sampler->levels().size(); ++i) {
      const Level& level = sampler->levels()[i];
      const at::Tensor v = (level.signal() * x - x0) / level.noise();
      const at::Tensor noise = sampler->draws_noise() ? sampler_input(fmt::format("n.{}", i)) : at::Tensor();
      x = sampler->step(i, x, schedule.prediction(level, x, v), state.kept, noise);
    }
    return x;
  };
  for (const SamplerEntry& entry : samplers()) {
    for (const FinalLevel final_level : {FinalLevel::kZero, FinalLevel::kSigmaMin}) {
      if (final_level != entry.final_level && !entry.why_this_level.empty()) continue;
      const SamplerOptions options{
          .steps = 10, .timesteps = {TimestepRule::kTrailing}, .final_level = final_level, .sampler = entry.name};
      const bool zero = final_level == FinalLevel::kZero;
      const at::Tensor left = end(options) - (zero ? 1 : schedule.at(0).signal()) * x0;
      if (zero) {
        EXPECT_LE(rms(left), 1e-6) << entry.name;
      } else {
        EXPECT_NEAR(rms(left), schedule.at(0).noise(), 0.006) << entry.name;
      }
    }
  }
}

TEST(Samplers, AStepThatIsMuchLongerThanTheOneBeforeDoesNotLookBack) {
  const NoiseSchedule schedule;
  const SamplerOptions options{.steps = 10, .final_level = FinalLevel::kZero, .sampler = "dpmpp-2m"};
  const MultistepLevels levels(schedule, options);
  EXPECT_EQ(levels.safe_orders(), (std::vector<int>{1, 2, 2, 2, 2, 2, 2, 2, 1, 1}));
  const at::Tensor exact = sample(*make("dpmpp-2m", 900, "901-1"), "mix");
  const auto error = [&](const Sampler& sampler) { return rms(sample(sampler, "mix") - exact); };
  const auto bold = make_dpm_solver(levels, {1, 2, 2, 2, 2, 2, 2, 2, 2, 1}, false);
  EXPECT_LT(error(*make_sampler(schedule, options)), 0.6 * error(*bold));
}

TEST(Samplers, GiveNumbersForEveryStepCountAndList) {
  const NoiseSchedule schedule;
  constexpr std::size_t kEdge = 2;
  constexpr std::size_t kStride = 211;
  const at::Tensor v = at::full({1}, 0.25, at::kDouble);
  const at::Tensor noise = at::full({1}, -0.5, at::kDouble);
  std::map<std::string, int> runs;
  for (const std::string list : {"published", "trailing", "linspace", "multistep-leading", "distillation", "999-0"}) {
    for (const SamplerEntry& entry : samplers()) {
      for (std::int64_t steps = 1; steps <= kTimesteps; ++steps) {
        if (list == "distillation" && steps > 50) break;
        if (list == "linspace" && steps > 999) break;
        if (list == "multistep-leading" && steps > 998) break;
        const auto sampler = make(entry.name, steps, list);
        const std::size_t count = sampler->levels().size();
        at::Tensor x = at::ones({1}, at::kDouble);
        const SamplingState state = sampling_state(*sampler, x, at::Generator());
        // Both ends and some steps between: what a step makes of its numbers does not hang on where it lies.
        for (std::size_t i = 0; i < count; ++i) {
          if (i >= kEdge && i + kEdge < count && i % kStride != 0) continue;
          x = sampler->step(i, x, schedule.prediction(sampler->levels()[i], x, v), state.kept, noise);
        }
        ASSERT_TRUE(std::isfinite(x.item<double>())) << entry.name << ", " << list << ", " << steps << " steps";
        ++runs[list];
      }
    }
  }
  const int all = static_cast<int>(samplers().size());
  EXPECT_EQ(runs.at("published"), 1000 * all);
  EXPECT_EQ(runs.at("distillation"), 50 * all);
}

TEST(Samplers, StepPartByPartAsTheWhole) {
  for (const SamplerEntry& entry : samplers()) {
    const auto sampler = make(entry.name, 8, "trailing");
    const at::Tensor whole = sample(*sampler, "mlp", at::kFloat);
    for (const std::int64_t at_once : {1, 2}) {
      EXPECT_TRUE(at::equal(sample(*sampler, "mlp", at::kFloat, at_once), whole)) << entry.name << ", " << at_once;
    }
    EXPECT_TRUE(at::isfinite(whole).all().item<bool>()) << entry.name;
  }
}

TEST(Samplers, GoOnFromWhatTheyKeep) {
  for (const SamplerEntry& entry : samplers()) {
    const auto sampler = make(entry.name, 8, "trailing");
    const at::Tensor whole = sample(*sampler, "mlp", at::kFloat);
    const Denoiser denoise = denoiser_of(closed_model("mlp"), 3);
    for (std::int64_t stop = 1; stop < 8; ++stop) {
      const at::Tensor x = sampler_input("sampler_start").to(at::kFloat).clone();
      SamplingState state = sampling_state(*sampler, x, make_generator(11));
      struct : SamplingObserver {
        void step_ends(std::int64_t steps_done) override {
          if (steps_done == last) throw std::runtime_error("stopped");
        }
        std::int64_t last = 0;
      } stopper;
      stopper.last = stop;
      EXPECT_THROW(run_sampler(*sampler, NoiseSchedule(), denoise, state, stopper), std::runtime_error);
      // Nothing but this is kept.
      SamplingState again = sampling_state(*sampler, state.x.clone(), make_generator(0));
      for (std::size_t i = 0; i < again.kept.size(); ++i) again.kept[i].tensor.copy_(state.kept[i].tensor);
      again.generator.set_state(state.generator.get_state());
      again.steps_done = stop;
      SamplingObserver nobody;
      run_sampler(*make(entry.name, 8, "trailing"), NoiseSchedule(), denoise, again, nobody);
      EXPECT_TRUE(at::equal(again.x, whole)) << entry.name << ", stopped after " << stop;
    }
  }
}

}  // namespace
}  // namespace unianimate::diffusion
