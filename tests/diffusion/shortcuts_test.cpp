#include "unianimate/diffusion/shortcuts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/guidance.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/diffusion/trend.h"
#include "unianimate/fields/json_archive.h"

namespace unianimate::diffusion {
namespace {

using ::testing::HasSubstr;

/// One step as a word: c and u for whole passes, C and U with kept features, - for none, then the number of the step
/// whose windows are taken where it is another, and how far ahead the step is.
std::string word_of(const StepWork& work, std::size_t step) {
  const auto letter = [](PassWork pass, const char* letters) {
    return pass == PassWork::kNone ? '-' : letters[pass == PassWork::kFull ? 0 : 1];
  };
  std::string word{letter(work.conditional, "cC"), letter(work.unconditional, "uU")};
  if (work.windows_of != static_cast<std::int64_t>(step)) word += fmt::format("@{}", work.windows_of);
  if (work.ahead != 0) word += fmt::format("+{:.3g}", work.ahead);
  return word;
}

std::string table(const ShortcutOptions& options, double guidance_scale, std::size_t steps) {
  std::vector<Level> levels;
  for (std::size_t step = 0; step < steps; ++step) levels.push_back({.time = 900 - 100.0 * static_cast<double>(step)});
  std::vector<std::string> words;
  const auto work = step_work(options, guidance_scale, levels);
  for (std::size_t step = 0; step < steps; ++step) words.push_back(word_of(work[step], step));
  return fmt::format("{}", fmt::join(words, " "));
}

TEST(StepWork, WithoutShortcutsEveryPassIsWhole) {
  EXPECT_EQ(table({}, 2.5, 4), "cu cu cu cu");
  EXPECT_EQ(table({}, 1, 4), "c- c- c- c-");
}

TEST(StepWork, GuidanceIsGuessedBetweenEverySoManySteps) {
  EXPECT_EQ(table({.guidance_every = 2}, 2.5, 6), "cu c- cu c-+0.5 cu c-+0.5");
  EXPECT_EQ(table({.guidance_every = 3}, 2.5, 8), "cu c- c- cu c-+0.333 c-+0.667 cu c-+0.333");
  EXPECT_EQ(table({.guidance_every = 1000}, 2.5, 3), "cu c- c-");
}

TEST(StepWork, OutsideItsIntervalThereIsNoGuidance) {
  const ShortcutOptions options{.guidance_interval = GuidanceInterval{400, 800}};
  EXPECT_EQ(table(options, 2.5, 8), "c- cu cu cu cu cu c- c-");
  std::vector<Level> levels{{.time = 801}, {.time = 800}, {.time = 400}, {.time = 399}};
  const auto work = step_work(options, 2.5, levels);
  EXPECT_EQ(work[0].guidance_scale, 1);
  EXPECT_EQ(work[1].guidance_scale, 2.5);
  EXPECT_EQ(work[2].guidance_scale, 2.5);
  EXPECT_EQ(work[3].guidance_scale, 1);
  // The first step inside knows of none before.
  EXPECT_EQ(table({.guidance_every = 3, .guidance_interval = GuidanceInterval{400, 800}}, 2.5, 8),
            "c- cu c- cu c-+0.5 c-+1 c- c-");
}

TEST(StepWork, FeaturesAreThoseOfTheLastStepThatComputedThem) {
  EXPECT_EQ(table({.reuse_every = 2}, 2.5, 5), "cu CU@0 cu CU@2 cu");
  EXPECT_EQ(table({.reuse_below = 1}, 1, 4), "c- C-@0 c- C-@2");
  EXPECT_EQ(table({.reuse_below = 0, .reuse_every = 3}, 2.5, 5), "cu CU@0 CU@0 cu CU@3");
}

TEST(StepWork, APassThatWasLeftOutWhenFeaturesWereComputedComputesItsOwn) {
  EXPECT_EQ(table({.guidance_every = 2, .reuse_every = 4}, 2.5, 6), "cu C-@0 CU@0 C-@0+0.5 cu C-@4+0.5");
  EXPECT_EQ(table({.guidance_every = 2, .reuse_every = 3}, 2.5, 7), "cu C-@0 CU@0 c-+0.5 Cu@3 C-@3+0.5 cu");
  EXPECT_EQ(table({.reuse_every = 3, .extrapolate = true}, 1, 7), "c- C-@0 C-@0 --+1 c-@3 --@3+0.5 c-");
}

TEST(StepWork, EverySecondStepGoesOnFromTheTwoComputedBefore) {
  EXPECT_EQ(table({.extrapolate = true}, 2.5, 8), "cu cu cu --+1 cu --+0.5 cu --+0.5");
}

std::string problem_of(const ShortcutOptions& options, const SamplerOptions& sampling = {}, double guidance = 2.5) {
  try {
    options.check(sampling, guidance);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(ShortcutOptions, RefuseWhatDoesNotGoTogether) {
  const SamplerOptions one{.steps = 1, .timesteps = {TimestepRule::kTrailing}};
  const SamplerOptions three{.steps = 3, .timesteps = {TimestepRule::kTrailing}};
  EXPECT_THAT(problem_of({.guidance_every = 0}), HasSubstr("guidance_every must be between 1 and 1000, found 0"));
  EXPECT_THAT(problem_of({.reuse_below = -1}), HasSubstr("reuse_below must be between 0"));
  EXPECT_THAT(problem_of({.guidance_every = 2}, {}, 1),
              HasSubstr("guidance_every has no effect with guidance_scale 1"));
  EXPECT_THAT(problem_of({.guidance_interval = GuidanceInterval{1, 9}}, {}, 1),
              HasSubstr("guidance_interval has no effect with guidance_scale 1"));
  EXPECT_THAT(problem_of({.guidance_every = 2}, one), HasSubstr("guidance_every needs at least two steps, found 1"));
  EXPECT_THAT(problem_of({.reuse_below = 0}, one), HasSubstr("reuse_below needs at least two steps, found 1"));
  EXPECT_THAT(problem_of({.extrapolate = true}, three), HasSubstr("extrapolate needs at least 4 steps, found 3"));
  EXPECT_THAT(problem_of({.guidance_every = 2, .extrapolate = true}),
              HasSubstr("extrapolate does not go with guidance_every"));
  for (const std::string_view sampler : {"dpmpp-2m", "dpmpp-2m-sde", "unipc", "unipc-bh1"}) {
    EXPECT_THAT(problem_of({.extrapolate = true}, {.sampler = sampler}), HasSubstr("looks back itself")) << sampler;
    EXPECT_EQ(problem_of({.guidance_every = 2, .reuse_every = 2}, {.sampler = sampler}), "") << sampler;
  }
  for (const std::string_view sampler : {"lcm", "tcd"}) {
    for (const ShortcutOptions& options : {ShortcutOptions{.guidance_every = 2},
                                           {.guidance_interval = GuidanceInterval{}},
                                           {.reuse_below = 0},
                                           {.extrapolate = true}}) {
      EXPECT_THAT(problem_of(options, {.sampler = sampler}), HasSubstr("a distilled model takes so few steps"));
    }
    EXPECT_EQ(problem_of({}, {.sampler = sampler}), "");
  }
  EXPECT_EQ(problem_of({.guidance_interval = GuidanceInterval{}, .reuse_every = 3, .extrapolate = true}), "");
  EXPECT_EQ(problem_of({.reuse_every = 1}, one), "");
  EXPECT_THAT(problem_of({.reuse_below = 1, .reuse_every = 1}),
              HasSubstr("reuse_below has no effect with reuse_every 1"));
  EXPECT_THAT(problem_of({.reuse_below = 1, .extrapolate = true}),
              HasSubstr("extrapolate does not go with features that are reused every 2 steps (reuse_below)"));
}

TEST(ShortcutOptions, RefuseAnIntervalWithoutAnyTimestepThatTheModelIsAskedAt) {
  const SamplerOptions ten{.steps = 10, .timesteps = TimestepList::parse("991-40")};  // 991, 885, 780, …, 357, 251
  const auto problem = [&](std::int64_t low, std::int64_t high, bool extrapolate) {
    return problem_of({.guidance_interval = GuidanceInterval{low, high}, .extrapolate = extrapolate}, ten);
  };
  EXPECT_THAT(problem(400, 401, false),
              HasSubstr("guidance_interval 400-401 holds none of the 10 timesteps from 991 to "
                        "40 at which the model is asked"));
  EXPECT_THAT(problem(992, 999, false), HasSubstr("holds none of the 10 timesteps"));
  EXPECT_THAT(problem(0, 39, false), HasSubstr("holds none of the 10 timesteps"));
  EXPECT_EQ(problem(991, 999, false), "");
  EXPECT_EQ(problem(0, 40, false), "");
  EXPECT_THAT(problem(0, 40, true), HasSubstr("holds none of the 6 timesteps")) << "the last step is extrapolated";
}

TEST(ShortcutOptions, AnIntervalIsTwoTimesteps) {
  EXPECT_EQ(GuidanceInterval::parse("200-900"), (GuidanceInterval{200, 900}));
  EXPECT_EQ(GuidanceInterval::parse("7-7").text(), "7-7");
  for (const char* text :
       {"", "200", "900-200", "200-1000", "-5-9", "200-900x", "200:900", "a-b", "1-99999999999999999999"}) {
    EXPECT_THROW(GuidanceInterval::parse(text), Error) << text;
  }
}

TEST(ShortcutOptions, AreReadAsTheyAreWritten) {
  const ShortcutOptions options{.guidance_every = 2,
                                .guidance_interval = GuidanceInterval{200, 900},
                                .reuse_below = 1,
                                .reuse_every = 4,
                                .extrapolate = true};
  const nlohmann::json written = fields::write_json(options);
  EXPECT_EQ(written, (nlohmann::json{{"guidance_every", 2},
                                     {"guidance_interval", "200-900"},
                                     {"reuse_below", 1},
                                     {"reuse_every", 4},
                                     {"extrapolate", true}}));
  ShortcutOptions read;
  fields::read_json(written, {}, read, fields::Missing::kRefused);
  EXPECT_EQ(nlohmann::json(fields::write_json(read)), written);
  EXPECT_THAT(options.texts(),
              ::testing::ElementsAre("guidance every 2 steps", "guidance at timesteps 200-900",
                                     "features below level 1 every 4 steps", "extrapolated every 2 steps"));
  EXPECT_TRUE(ShortcutOptions().texts().empty());
}

TEST(ShortcutOptions, OfJobsFromBeforeNothingIsLeftOut) {
  ShortcutOptions read{.guidance_every = 3, .extrapolate = true};
  fields::read_json(nlohmann::json::object(), {}, read, fields::Missing::kRefused);
  EXPECT_EQ(fields::write_json(read), fields::write_json(ShortcutOptions()));
}

TEST(Trend, GoesOnAlongAStraightLine) {
  const Trend trend{at::zeros({1, 1, 4, 1, 1}), at::zeros({1, 1, 4, 1, 1})};
  const at::Tensor slope = at::arange(4).view({1, 1, 4, 1, 1});
  for (const double step : {2.0, 4.0}) {
    trend.add(0, (10 + step * slope).narrow(2, 0, 3));
    trend.add(3, (10 + step * slope).narrow(2, 3, 1));
  }
  EXPECT_TRUE(at::equal(trend.extrapolated(1, 3, 0.5), (10 + 5 * slope).narrow(2, 1, 3)));
  EXPECT_TRUE(at::equal(trend.extrapolated(0, 4, 0), 10 + 4.0 * slope));
}

TEST(Guidance, IsTheScaledDifferenceKnownOrGuessed) {
  const auto tensor = [](double value) { return at::full({1, 1, 2, 1, 1}, value); };
  const Trend difference{tensor(0), tensor(0)};
  const StepWork whole{.unconditional = PassWork::kFull, .guidance_scale = 3};
  EXPECT_TRUE(at::equal(guided(whole, difference, 0, tensor(5), tensor(1)), tensor(1 + 3 * 4)));
  EXPECT_TRUE(at::equal(guided(whole, difference, 0, tensor(7), tensor(1)), tensor(1 + 3 * 6)));
  const StepWork guessed{.guidance_scale = 3, .ahead = 0.5};
  EXPECT_TRUE(at::equal(guided(guessed, difference, 0, tensor(2), {}), tensor(2 + 2 * 7)));
  EXPECT_TRUE(at::equal(guided({}, difference, 0, tensor(2), {}), tensor(2)));
}

}  // namespace
}  // namespace unianimate::diffusion
