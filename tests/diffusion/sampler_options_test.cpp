#include "unianimate/diffusion/sampler_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/diffusion/sampler.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/fields/json_archive.h"

namespace unianimate::diffusion {
namespace {

using ::testing::HasSubstr;

std::string problem_of(const SamplerOptions& options) {
  try {
    options.check();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

SamplerOptions read(const nlohmann::json& json) {
  SamplerOptions options;
  fields::read_json(json, {}, options, fields::Missing::kLeft);
  return options;
}

TEST(SamplerOptions, RefuseStepsAndEtaOutOfRange) {
  EXPECT_THAT(problem_of({.steps = 0}), HasSubstr("steps must be between 1 and 1000, found 0"));
  EXPECT_THAT(problem_of({.steps = 1001}), HasSubstr("steps must be"));
  EXPECT_THAT(problem_of({.eta = std::nan("")}), HasSubstr("eta must be between 0 and 1"));
  EXPECT_THAT(problem_of({.steps = 51, .timesteps = {TimestepRule::kDistillation}}), HasSubstr("50 at most"));
  EXPECT_THAT(problem_of({.steps = 2, .timesteps = {TimestepRule::kOwn, {1, 2}}}), HasSubstr("must descend"));
  EXPECT_THAT(
      problem_of({.sampler = "dime"}),
      HasSubstr("sampler must be ddim, euler, euler-ancestral, dpmpp-2m, dpmpp-2m-sde, unipc, unipc-bh1, lcm or "
                "tcd, found 'dime'"));
}

TEST(SamplerOptions, RefuseWhatASamplerCannotBeTold) {
  for (const std::string_view sampler : {"euler", "euler-ancestral", "dpmpp-2m", "dpmpp-2m-sde", "unipc", "lcm"}) {
    EXPECT_THAT(problem_of({.eta = 0, .sampler = sampler}), HasSubstr("leave it out, or choose ddim or tcd"));
  }
  EXPECT_THAT(
      problem_of({.final_level = FinalLevel::kZero, .sampler = "unipc-bh1"}),
      HasSubstr("the final level of the sampler unipc-bh1 must be sigma_min, found zero: its B(h) is infinite"));
  EXPECT_THAT(problem_of({.final_level = FinalLevel::kSigmaMin, .sampler = "lcm"}), HasSubstr("must be zero"));
  for (const SamplerEntry& entry : samplers()) {
    EXPECT_EQ(problem_of({.final_level = entry.final_level, .sampler = entry.name}), "");
  }
}

TEST(SamplerOptions, WhatIsNotSaidSuitsTheSampler) {
  const auto resolved = [](std::string_view sampler) { return SamplerOptions{.sampler = sampler}.resolved(); };
  EXPECT_EQ(resolved("ddim").final_level, FinalLevel::kSigmaMin);
  EXPECT_EQ(resolved("ddim").eta, 0);
  EXPECT_EQ(resolved("euler").final_level, FinalLevel::kZero);
  EXPECT_EQ(resolved("euler-ancestral").eta, 1);
  EXPECT_EQ(resolved("tcd").eta, 0.3);
  EXPECT_EQ((SamplerOptions{.final_level = FinalLevel::kZero, .eta = 0.5}.resolved().eta), 0.5);
}

TEST(SamplerOptions, CountTheStepsOfEveryListAsTheSamplerDoes) {
  const NoiseSchedule schedule;
  for (const std::string text : {"published", "trailing", "linspace", "multistep-leading", "distillation", "949-25"}) {
    for (const std::int64_t steps : {1, 3, 4, 30, 50}) {
      for (const SamplerEntry& entry : samplers()) {
        const SamplerOptions options{.steps = steps, .timesteps = TimestepList::parse(text), .sampler = entry.name};
        EXPECT_EQ(static_cast<std::size_t>(options.step_count()), make_sampler(schedule, options)->levels().size());
      }
    }
  }
  EXPECT_EQ((SamplerOptions{.steps = 30}.step_count()), 31);
}

TEST(SamplerOptions, AListOfOnesOwnSaysHowManyStepsThereAre) {
  EXPECT_EQ(read({{"timesteps", "999,749,499,249"}}).steps, 4);
  EXPECT_EQ(read({{"steps", 9}, {"timesteps", "949-25"}}).steps, 9);
}

TEST(SamplerOptions, AreReadByTheirFormerNames) {
  EXPECT_EQ(read({{"timestep_spacing", "trailing"}}).timesteps.rule, TimestepRule::kTrailing);
  EXPECT_EQ(read({{"timestep_spacing", "leading"}}).timesteps.rule, TimestepRule::kPublished);
  EXPECT_THROW(read({{"timestep_spacing", "trailing"}, {"timesteps", "trailing"}}), Error);
  EXPECT_EQ(fields::write_json(SamplerOptions{.timesteps = {TimestepRule::kTrailing}}).at("timesteps"), "trailing");
}

TEST(SamplerOptions, WhereThePublishedProgramMakesNoPictureIsTold) {
  const NoiseSchedule schedule;
  int told = 0;
  for (std::int64_t steps = 1; steps <= kTimesteps; ++steps) told += schedule.note({.steps = steps}).empty() ? 0 : 1;
  EXPECT_EQ(told, 766);
  EXPECT_THAT(schedule.note({.steps = 3}), HasSubstr("divides by zero"));
  EXPECT_EQ(schedule.note({.steps = 3, .sampler = "unipc"}), "");
  EXPECT_EQ(schedule.note({.steps = 3, .timesteps = {TimestepRule::kTrailing}}), "");
}

}  // namespace
}  // namespace unianimate::diffusion
