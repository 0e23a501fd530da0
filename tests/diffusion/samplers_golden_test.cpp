// Samplers against diffusers' own, step by step. Files of other lists, counts and inputs can be tried in
// $UNIANIMATE_GOLDEN_DIR/samplers: all that a test needs stands in their metadata.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "diffusion/closed_models.h"
#include "support/golden_file.h"
#include "unianimate/diffusion/dpm_solver.h"
#include "unianimate/diffusion/sampling_loop.h"
#include "unianimate/diffusion/unipc.h"

namespace unianimate::diffusion {
namespace {

using nlohmann::json;
using testing::GoldenFile;
using testing::relative_error;

/// One of a file's configurations.
struct Config {
  std::string name;
  json facts;
  json settings;
  std::vector<std::int64_t> timesteps;

  template <typename T>
  [[nodiscard]] T setting(const char* key, const T& usual) const {
    return settings.value(key, usual);
  }
  [[nodiscard]] std::size_t step_count() const { return timesteps.size(); }
};

SamplerOptions options_of(const Config& config, std::string_view sampler) {
  SamplerOptions options{.steps = static_cast<std::int64_t>(config.timesteps.size()),
                         .timesteps = {TimestepRule::kOwn, config.timesteps},
                         .sampler = sampler};
  if (sampler == "tcd") options.eta = config.facts.at("step").at("eta").get<double>();
  return options;
}

MultistepLevels levels_of(const Config& config) {
  SamplerOptions options = options_of(config, "dpmpp-2m");
  const bool zero = config.setting<std::string>("final_sigmas_type", "zero") == "zero";
  options.final_level = zero ? FinalLevel::kZero : FinalLevel::kSigmaMin;
  return {NoiseSchedule(), options};
}

/// diffusers' rule.
std::vector<int> dpm_orders(const Config& config) {
  constexpr std::size_t kFew = 15;
  const std::size_t count = config.step_count();
  const bool first_order_at_the_end = config.setting<std::string>("final_sigmas_type", "zero") == "zero" ||
                                      config.setting("euler_at_final", false) ||
                                      (config.setting("lower_order_final", true) && count < kFew);
  std::vector<int> orders(count, config.setting("solver_order", 2));
  orders.front() = 1;
  if (first_order_at_the_end) orders.back() = 1;
  return orders;
}

std::vector<UniPcStep> unipc_steps(const Config& config) {
  const auto disabled = config.setting<std::vector<std::size_t>>("disable_corrector", {});
  std::vector<UniPcStep> steps;
  for (std::size_t i = 0; i < config.step_count(); ++i) {
    int order = i == 0 ? 1 : config.setting("solver_order", 2);
    if (config.setting("lower_order_final", true) && i + 1 == config.step_count()) order = 1;
    steps.push_back({order, std::ranges::count(disabled, i) == 0});
  }
  return steps;
}

/// Null for what this program does not have: third order, Heun's rule.
std::unique_ptr<Sampler> sampler_of(const Config& config) {
  const auto scheduler = config.facts.at("scheduler").get<std::string>();
  if (config.setting("solver_order", 2) > 2 || config.setting<std::string>("solver_type", "") == "heun") return nullptr;
  if (scheduler == "DPMSolverMultistepScheduler") {
    const auto algorithm = config.setting<std::string>("algorithm_type", "dpmsolver++");
    return make_dpm_solver(levels_of(config), dpm_orders(config), algorithm == "sde-dpmsolver++");
  }
  if (scheduler == "UniPCMultistepScheduler") {
    const bool bh1 = config.setting<std::string>("solver_type", "bh2") == "bh1";
    return make_unipc(levels_of(config), unipc_steps(config), bh1 ? UniPcB::kBh1 : UniPcB::kBh2);
  }
  return make_sampler(NoiseSchedule(), options_of(config, scheduler == "LCMScheduler" ? "lcm" : "tcd"));
}

std::vector<Config> configs_of(const GoldenFile& golden) {
  std::vector<Config> configs;
  const json all = golden.metadata("configs");
  for (const auto& [name, facts] : all.items()) {
    Config config{name, facts, facts.at("settings"), {}};
    const at::Tensor timesteps = golden.tensor(name + ".timesteps");
    for (std::int64_t i = 0; i < timesteps.numel(); ++i) config.timesteps.push_back(timesteps[i].item<std::int64_t>());
    configs.push_back(std::move(config));
  }
  return configs;
}

/// The latent after every step, and UniPC's corrected ones.
struct Path {
  std::vector<at::Tensor> samples;
  std::vector<at::Tensor> corrected;
};

Path walk(const Sampler& sampler, const Config& config, at::ScalarType type) {
  const NoiseSchedule schedule;
  const testing::ClosedModel model = testing::closed_model(config.facts.at("model"));
  at::Tensor x = testing::sampler_input(config.facts.at("start")).to(type);
  const SamplingState state = sampling_state(sampler, x, at::Generator());
  const auto noises = config.facts.at("noises").get<std::size_t>();
  Path path;
  for (std::size_t i = 0; i < sampler.levels().size(); ++i) {
    const Level& level = sampler.levels()[i];
    const at::Tensor v = model(x, static_cast<std::int64_t>(level.time)).to(type);
    // What is drawn after the last of theirs must not count.
    at::Tensor noise = sampler.draws_noise() ? at::full_like(x, std::nan("")) : at::Tensor();
    if (i < noises) {
      noise = testing::sampler_input(fmt::format("{}.{}", config.facts.at("noise").get<std::string>(), i)).to(type);
    }
    x = sampler.step(i, x, schedule.prediction(level, x, v), state.kept, noise);
    path.samples.push_back(x);
    if (state.kept.size() == 3) path.corrected.push_back(state.kept[2].tensor.clone());
  }
  return path;
}

void expect_same(const Config& config, const GoldenFile& golden) {
  const std::unique_ptr<Sampler> sampler = sampler_of(config);
  ASSERT_EQ(sampler->levels().size(), config.step_count());
  const bool lcm = config.facts.at("scheduler") == "LCMScheduler";
  const double tolerance = lcm ? 1e-7 : 1e-10;
  const Path path = walk(*sampler, config, at::kDouble);
  const at::Tensor samples = golden.tensor(config.name + ".samples");
  for (std::size_t i = 0; i < path.samples.size(); ++i) {
    EXPECT_LE(relative_error(path.samples[i], samples[static_cast<std::int64_t>(i) + 1]), tolerance) << "step " << i;
    if (!path.corrected.empty()) {
      const at::Tensor corrected = golden.tensor(config.name + ".corrected")[static_cast<std::int64_t>(i)];
      EXPECT_LE(relative_error(path.corrected[i], corrected), tolerance) << "corrected in step " << i;
    }
  }
  const double float_tolerance = sampler->draws_noise() ? 2e-5 : 2e-6;
  EXPECT_LE(relative_error(walk(*sampler, config, at::kFloat).samples.back(), path.samples.back()), float_tolerance);
}

TEST(SamplersGolden, TheModelsAreThoseOfTheFiles) {
  const GoldenFile golden(testing::golden_folder() / "samplers/functions.safetensors");
  for (const std::string& name : golden.names("v.")) {
    const std::size_t dot = name.rfind('.');
    const auto model = testing::closed_model(name.substr(2, dot - 2));
    const at::Tensor v = model(testing::sampler_input("sampler_start"), std::stoll(name.substr(dot + 1)));
    EXPECT_TRUE(at::allclose(v, golden.tensor(name), 1e-12, 1e-13)) << name;
  }
  const NoiseSchedule schedule;
  for (const std::string& name : golden.names("exact_abar0.gauss.")) {
    const Level from = schedule.at(std::stod(name.substr(name.rfind('.') + 1)));
    const at::Tensor end = testing::gauss_solution(testing::sampler_input("sampler_start"), from, schedule.at(0));
    EXPECT_LE(relative_error(end, golden.tensor(name)), 1e-10) << name;
  }
}

TEST(SamplersGolden, EveryStepIsTheSame) {
  std::size_t compared = 0;
  for (const auto& file : testing::golden_files("", "samplers")) {
    const GoldenFile golden(file);
    if (golden.metadata("configs").is_null()) continue;
    for (const Config& config : configs_of(golden)) {
      SCOPED_TRACE(file.filename().string() + ": " + config.name);
      if (sampler_of(config) == nullptr) continue;
      expect_same(config, golden);
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "$UNIANIMATE_GOLDEN_DIR has no folder samplers";
  RecordProperty("configurations", static_cast<int>(compared));
}

TEST(SamplersGolden, OnTrailingTimestepsOrdersAreDiffusers) {
  const NoiseSchedule schedule;
  for (const std::int64_t steps : {1, 2, 3, 4, 6, 8, 10, 14, 15, 20, 30, 50, 100}) {
    const SamplerOptions options{.steps = steps,
                                 .timesteps = {TimestepRule::kTrailing},
                                 .final_level = FinalLevel::kZero,
                                 .sampler = "dpmpp-2m"};
    std::vector<int> expected(static_cast<std::size_t>(steps), 2);
    expected.front() = expected.back() = 1;
    EXPECT_EQ(MultistepLevels(schedule, options).safe_orders(), expected) << steps;
  }
}

}  // namespace
}  // namespace unianimate::diffusion
