// Seams and drift that were planted, and strategies by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/evaluation/long_video_evaluation.h"
#include "unianimate/evaluation/long_video_report.h"
#include "unianimate/families/families.h"

namespace unianimate::evaluation {
namespace {

using diffusion::ContextWindow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kSide = 16;
constexpr std::int64_t kFrames = 40;
constexpr std::uint8_t kGrey = 100;

Image plain(int level) {
  Image image(kSide, kSide);
  image.pixels.assign(image.pixels.size(), static_cast<std::uint8_t>(level));
  return image;
}

/// The made frames are the true ones with `added(t)` on every value.
LongVideoMeasures measure(const std::vector<ContextWindow>& windows, const std::function<int(std::int64_t)>& added) {
  LongVideoMeter meter(windows, 4);
  for (std::int64_t t = 0; t < kFrames; ++t) {
    const int truth = kGrey + static_cast<int>(t % 3);
    meter.add(plain(truth + added(t)), plain(truth));
  }
  return meter.measures();
}

/// Of 8 frames, two shared.
std::vector<ContextWindow> windows_of_eight() {
  std::vector<ContextWindow> windows;
  for (std::int64_t first = 0; first + 8 <= kFrames; first += 6) windows.push_back({first, 8});
  windows.push_back({kFrames - 8, 8});
  return windows;
}

TEST(LongVideoMeterTest, FindsJumpsAtBorders) {
  // Up and down by 10 at starts of windows, and by 1 from frame to frame.
  const auto jumps = [](std::int64_t t) {
    return (std::min<std::int64_t>(t, 35) / 6 % 2 == 1 ? 10 : 0) + static_cast<int>(t % 2);
  };
  const Seams seams = measure(windows_of_eight(), jumps).seams;
  EXPECT_GT(seams.ratio().value(), 4);
  EXPECT_NEAR(seams.inside_error * 255, 1, 1e-9);
  ASSERT_EQ(seams.from_start.size(), 9U);
  EXPECT_GT(seams.from_start[4] * 255, 8);
  EXPECT_NEAR(seams.from_start[3] * 255, 1, 1e-9);
}

TEST(LongVideoMeterTest, CountsAWindowsEndsAsBorders) {
  const Seams seams = measure({{0, 30}, {20, 20}}, [](std::int64_t t) { return t >= 20 && t < 30 ? 5 : 0; }).seams;
  EXPECT_EQ(seams.borders, 2);
  EXPECT_NEAR(seams.border_error * 255, 5, 1e-9);
  EXPECT_EQ(seams.inside_error, 0);
  EXPECT_FALSE(seams.ratio());
}

TEST(LongVideoMeterTest, FindsNoSeamWhereErrorsAreTheSameEverywhere) {
  const auto flicker = [](std::int64_t t) { return static_cast<int>(t % 2); };
  EXPECT_NEAR(measure(windows_of_eight(), flicker).seams.ratio().value(), 1, 1e-9);
  EXPECT_FALSE(measure({{0, kFrames}}, flicker).seams.ratio());
}

TEST(LongVideoMeterTest, FindsAPlantedSlope) {
  const Drift drift = measure({{0, kFrames}}, [](std::int64_t t) { return static_cast<int>(t); }).drift;
  // Means of 0 … 3 and of 36 … 39.
  EXPECT_THAT(drift.first, ElementsAre(1.5, 1.5, 1.5));
  EXPECT_THAT(drift.last, ElementsAre(37.5, 37.5, 37.5));
  EXPECT_DOUBLE_EQ(drift.drift, 36);
  EXPECT_DOUBLE_EQ(drift.last_absolute, 37.5);
  EXPECT_GT(drift.first_psnr, drift.last_psnr + 20);
  ASSERT_EQ(drift.error.size(), static_cast<std::size_t>(kFrames));
  EXPECT_DOUBLE_EQ(drift.error[7], 7);
}

TEST(LongVideoMeterTest, TellsDriftFromAConstantDifference) {
  const Drift drift = measure({{0, kFrames}}, [](std::int64_t) { return -6; }).drift;
  EXPECT_DOUBLE_EQ(drift.drift, 0);
  EXPECT_DOUBLE_EQ(drift.first_absolute, 6);
  EXPECT_DOUBLE_EQ(drift.difference[0], -6);
  EXPECT_DOUBLE_EQ(drift.first_psnr, drift.last_psnr);
}

TEST(LongVideoMeterTest, TakesMeansOverVideos) {
  const LongVideoMeasures mean =
      mean_of(std::vector{measure(windows_of_eight(), [](std::int64_t t) { return static_cast<int>(t); }),
                          measure(windows_of_eight(), [](std::int64_t) { return 0; })});
  EXPECT_DOUBLE_EQ(mean.drift.drift, 18);
  EXPECT_DOUBLE_EQ(mean.drift.error.back(), 19.5);
  EXPECT_NEAR(mean.seams.inside_error * 255, 0.5, 1e-9);
}

TEST(LongVideoStrategyTest, ReadsNames) {
  const auto even = LongVideoStrategy::parse("even-hann");
  EXPECT_EQ(even.schedule, diffusion::ContextSchedule::kEven);
  EXPECT_EQ(even.weights, diffusion::ContextWeights::kHann);
  EXPECT_FALSE(even.chain);
  const auto chain = LongVideoStrategy::parse("chain-color-32-overlap2-moving-pyramid");
  ASSERT_TRUE(chain.chain);
  EXPECT_TRUE(chain.chain->color_match);
  EXPECT_EQ(chain.chain->segment_size, 32);
  EXPECT_EQ(chain.chain->segment_overlap, 2);
  EXPECT_EQ(chain.schedule, diffusion::ContextSchedule::kMoving);
  EXPECT_EQ(chain.weights, diffusion::ContextWeights::kPyramid);
  EXPECT_EQ(LongVideoStrategy::parse("chain").chain->segment_overlap, 1);
}

TEST(LongVideoStrategyTest, RefusesOtherNames) {
  const auto refused = [](const char* name, const char* sentence) {
    try {
      LongVideoStrategy::parse(name);
      ADD_FAILURE() << "accepted: " << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(sentence));
    }
  };
  refused("", "a strategy begins with published, even, moving or chain, found ''");
  refused("hann", "a strategy begins with");
  refused("even-color", "the part 'color' of the strategy 'even-color' is not known");
  refused("even-8", "the part '8'");
  refused("chain-overlap", "the part 'overlap'");
  refused("chain-0", "the part '0'");
  refused("chain--color", "the part ''");
  refused("chain-", "ends with '-'");
}

TEST(LongVideoStrategyTest, KnowsWhereWindowsLieInTheLastStep) {
  family::AnimateRequest request;
  request.context.size = 8;
  request.context.overlap = 2;
  request.sampling.steps = 2;
  LongVideoStrategy::parse("chain-16").apply(request);
  EXPECT_THAT(final_windows(20, request),
              ElementsAre(ContextWindow{0, 8}, ContextWindow{2, 8}, ContextWindow{9, 8}, ContextWindow{12, 8}));
  LongVideoStrategy::parse("moving").apply(request);
  EXPECT_EQ(final_windows(20, request), diffusion::context_windows(20, request.context, 1));
}

TEST(LongVideoEvaluationTest, MeasuresEveryStrategyOfASmallModel) {
  const testing::TemporaryFolder folder;
  testing::write_rule_models(folder.path(), testing::tiny_model_configs());
  LongVideoRequest request;
  request.videos.people = {41, 42};
  request.videos.clip.width = 32;
  request.videos.clip.height = 64;
  request.videos.clip.frames = 6;
  for (const char* name : {"even-hann", "chain-color-overlap2"}) {
    Setting setting;
    setting.conditions = "reference";
    setting.request.conditions = family::ConditionSet::parse("reference");
    setting.request.sampling.steps = 1;
    setting.request.guidance_scale = 1;
    setting.request.context.size = 4;
    setting.request.context.overlap = 1;
    request.strategies.push_back(LongVideoStrategy::parse(name));
    request.strategies.back().apply(setting.request);
    request.videos.settings.push_back(setting);
  }
  family::RuntimeOptions runtime;
  runtime.compute = choose_compute(DeviceChoice::kCpu, DTypeChoice::kFloat32);
  struct : Progress {
    void begin_phase(std::string_view /*name*/, std::int64_t steps) override { total = steps; }
    void step(std::int64_t done) override { EXPECT_EQ(done, ++last); }
    std::int64_t total = 0;
    std::int64_t last = 0;
  } progress;
  const LongVideoEvaluation evaluation =
      evaluate_long_videos(request, *families::open_family(family::find_model_files(folder.path()), runtime), progress);
  EXPECT_EQ(progress.last, progress.total);
  ASSERT_EQ(evaluation.rows.size(), 2U);
  for (const LongVideoRow& row : evaluation.rows) {
    ASSERT_EQ(row.people.size(), 2U);
    EXPECT_EQ(row.unet_calls, 2);
    EXPECT_GT(row.seconds_per_video, 0);
    EXPECT_GT(row.mean.quality.psnr, 1);
    EXPECT_EQ(row.mean.seams.borders, 2);
  }
  LongVideoEvaluation carried = evaluation;
  carried.request.videos.settings[1].request.context.carry_state = true;
  EXPECT_EQ(long_video_json(carried)["rows"][0]["carry_state"], false);
  EXPECT_EQ(long_video_json(carried)["rows"][1]["carry_state"], true);
  EXPECT_THAT(long_video_table(evaluation), ::testing::Not(HasSubstr("decoder")));
  LongVideoEvaluation quick = evaluation;
  quick.request.videos.settings[1].request.decoder = family::DecoderChoice::kSmall;
  EXPECT_THAT(long_video_table(quick), HasSubstr("| steps | decoder | "));
  EXPECT_THAT(long_video_table(quick), HasSubstr("|  reference |     1 |   small | "));
  EXPECT_EQ(long_video_json(quick)["rows"][0]["decoder"], "full");
  EXPECT_EQ(long_video_json(quick)["rows"][1]["decoder"], "small");
  EXPECT_EQ(long_video_json(quick)["rows"][1]["preset"], "exact");
  const auto json = long_video_json(evaluation);
  EXPECT_EQ(json["rows"][1]["strategy"], "chain-color-overlap2");
  EXPECT_EQ(json["rows"][0]["people"].size(), 2U);
  EXPECT_THAT(long_video_markdown(evaluation), HasSubstr("| chain-color-overlap2 | "));
  const std::vector<NamedPicture> plots = long_video_plots(evaluation);
  ASSERT_EQ(plots.size(), 3U);
  EXPECT_EQ(plots[0].name, "seams-reference-1-steps");
  EXPECT_EQ(plots[0].picture.width, 1600);
}

}  // namespace
}  // namespace unianimate::evaluation
