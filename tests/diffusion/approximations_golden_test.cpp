// Sampling with shortcuts against golden numbers. Files of other numbers can be tried in
// $UNIANIMATE_GOLDEN_DIR/approximations: what was left out stands in the names of their tensors.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/diffusion/guidance.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/diffusion/sampling_loop.h"

namespace unianimate::diffusion {
namespace {

using testing::GoldenFile;
using testing::relative_error;

constexpr double kGuidance = 2.5;
constexpr double kCondition = 0.3;

struct Case {
  SamplerOptions sampling = {};
  ShortcutOptions shortcuts = {};
  bool plain = false;  ///< what is guessed is what was last
};

/// "949.25.10" -> 949, 25, 10
std::vector<std::int64_t> numbers_of(const std::string& text) {
  std::vector<std::int64_t> numbers;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, '.');) numbers.push_back(std::stoll(part));
  return numbers;
}

/// From the numbers in a tensor's name after its kind.
using MakeCase = std::function<Case(const std::vector<std::int64_t>& numbers)>;

const std::map<std::string, MakeCase>& kinds() {
  static const std::map<std::string, MakeCase> kKinds{
      {"guidance.extrapolate.",
       [](const auto& n) {
         return Case{{}, {.guidance_every = n.at(0)}};
       }},
      {"guidance.plain.",
       [](const auto& n) {
         return Case{{}, {.guidance_every = n.at(0)}, true};
       }},
      {"interval.",
       [](const auto& n) {
         return Case{{}, {.guidance_interval = GuidanceInterval{n.at(0), n.at(1)}}};
       }},
      {"x0_extrapolate.",
       [](const auto& n) {
         EXPECT_EQ(n.at(0), 2) << "every second step alone can be extrapolated";
         return Case{{}, {.extrapolate = true}};
       }},
      {"between.",
       [](const auto& n) {
         return Case{{.steps = n.at(2), .timesteps = {TimestepRule::kBetween, {n.at(0), n.at(1)}}}};
       }},
  };
  return kKinds;
}

at::Tensor v_of(const at::Tensor& x, double timestep, double condition) {
  return at::sin(3 * x + 0.01 * timestep) + condition * at::cos(x);
}

at::Tensor sample(const Case& golden, const at::Tensor& start) {
  const NoiseSchedule schedule;
  const auto sampler = make_sampler(schedule, golden.sampling);
  std::vector<StepWork> work = step_work(golden.shortcuts, kGuidance, sampler->levels());
  if (golden.plain) {
    for (StepWork& step : work) step.ahead = 0;
  }
  SamplingState state = sampling_state(*sampler, start.clone(), at::Generator());
  state.clean = {at::zeros_like(start), at::zeros_like(start)};
  const Trend difference{at::zeros_like(start), at::zeros_like(start)};
  const Denoiser denoise = [&](const at::Tensor& x, const Level& level, std::int64_t step, const TakeOutput& take) {
    const StepWork& of_step = work[static_cast<std::size_t>(step)];
    at::Tensor unconditional;
    if (of_step.unconditional != PassWork::kNone) unconditional = v_of(x, level.time, 0);
    const at::Tensor v = guided(of_step, difference, 0, v_of(x, level.time, kCondition), unconditional);
    // In two pieces, as windows hand it out.
    take(0, v.narrow(2, 0, 2));
    take(2, v.narrow(2, 2, v.size(2) - 2));
  };
  SamplingObserver nobody;
  run_sampler(*sampler, schedule, denoise, state, nobody, work);
  return state.x;
}

TEST(ApproximationsGolden, SamplingEndsWhereItShould) {
  std::size_t compared = 0;
  for (const auto& file : testing::golden_files("", "approximations")) {
    const GoldenFile golden(file);
    for (const auto& [kind, make_case] : kinds()) {
      for (const std::string& name : golden.names(kind)) {
        SCOPED_TRACE(file.filename().string() + ": " + name);
        if (name.ends_with(".timesteps")) continue;
        const Case of_name = make_case(numbers_of(name.substr(kind.size())));
        if (golden.contains(name + ".timesteps")) {
          const auto expected = golden.tensor(name + ".timesteps");
          const std::vector<std::int64_t> found = timesteps(of_name.sampling.timesteps, of_name.sampling.steps);
          EXPECT_TRUE(at::equal(at::tensor(found, at::kLong), expected));
        }
        const at::Tensor expected = golden.tensor(name);
        const at::Tensor start = testing::rule_input("noise", expected.sizes());
        EXPECT_LE(relative_error(sample(of_name, start.to(at::kDouble)), expected), 1e-9);
        EXPECT_LE(relative_error(sample(of_name, start), expected), 1e-5);
        ++compared;
      }
    }
  }
  if (compared == 0) GTEST_SKIP() << "$UNIANIMATE_GOLDEN_DIR has no folder approximations";
  RecordProperty("tensors", static_cast<int>(compared));
}

}  // namespace
}  // namespace unianimate::diffusion
