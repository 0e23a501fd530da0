// unianimate evaluate model with a small model: what it writes and says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_reader.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using testing::ProgramResult;

class EvaluateModelCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    models_ = std::make_unique<testing::TemporaryFolder>();
    testing::write_rule_models(models_->path(), testing::tiny_model_configs());
  }
  static void TearDownTestSuite() { models_.reset(); }

  /// Options win over those that a small measurement needs.
  [[nodiscard]] ProgramResult run(const std::vector<std::string>& options) const {
    const std::vector<std::pair<std::string, std::string>> needed{{"--models", models_->path().string()},
                                                                  {"--people", "7-8"},
                                                                  {"--frames", "2"},
                                                                  {"--size", "32x64"},
                                                                  {"--device", "cpu"},
                                                                  {"--dtype", "fp32"},
                                                                  {"--output", "new/quality"},
                                                                  {"--steps", "1,2"},
                                                                  {"--guidance", "1"}};
    std::vector<std::string> arguments{"evaluate", "model"};
    for (const auto& [name, value] : needed) {
      if (std::ranges::count(options, name) == 0) arguments.insert(arguments.end(), {name, value});
    }
    arguments.insert(arguments.end(), options.begin(), options.end());
    return testing::run_here(arguments, folder_.path());
  }
  [[nodiscard]] fs::path output(const std::string& name) const { return folder_ / ("new/quality/" + name); }

  static std::unique_ptr<testing::TemporaryFolder> models_;
  testing::TemporaryFolder folder_;
};

std::unique_ptr<testing::TemporaryFolder> EvaluateModelCommand::models_;

TEST_F(EvaluateModelCommand, WritesTableNumbersAndPictures) {
  const ProgramResult result = run({"--conditions", "reference,image+local_image"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("| image+local_image "));
  EXPECT_THAT(result.out, HasSubstr("| repeat the first frame, in all others "));
  EXPECT_THAT(result.out, ::testing::EndsWith("new/quality/quality.md\n"));
  std::ifstream file(output("quality.json"));
  const json quality = json::parse(file);
  ASSERT_EQ(quality.at("rows").size(), 4U);
  EXPECT_EQ(quality.at("rows")[3].at("steps"), 2);
  EXPECT_EQ(quality.at("rows")[3].at("people")[1].at("seed"), 8);
  for (const char* picture : {"contact_sheet.png", "steps.png"}) EXPECT_GT(read_image(output(picture)).width, 300);
  EXPECT_FALSE(fs::exists(output("guidance.png")));
}

TEST_F(EvaluateModelCommand, ComparesVariantsWithTheFirst) {
  const ProgramResult result = run({"--conditions", "reference", "--steps", "2", "--variant", "exact", "--variant",
                                    "reuse-every=2", "--variant", "draft"});
  ASSERT_EQ(result.status, 0) << result.err;
  std::ifstream file(output("quality.json"));
  const json rows = json::parse(file).at("rows");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at("against"), nullptr);
  EXPECT_EQ(rows[0].at("pass_equivalents"), 2);
  EXPECT_LT(rows[1].at("pass_equivalents"), 2);
  EXPECT_EQ(rows[1].at("against").at("name"), "reference, exact");
  EXPECT_EQ(rows[1].at("against").at("people").size(), 2U);
  EXPECT_EQ(rows[2].at("variant"), "draft");
  EXPECT_EQ(rows[2].at("timesteps"), "949-50");
  EXPECT_GT(read_image(output("variants.png")).width, 300);
  EXPECT_FALSE(fs::exists(output("steps.png")));
}

TEST_F(EvaluateModelCommand, ComparesOtherModelsAndLorasWithTheFirst) {
  const std::string layer = "middle_block.1.proj_in";
  checkpoint::save_safetensors(
      folder_ / "fast.safetensors",
      {{layer + ".lora_down.weight", at::ones({2, 32})}, {layer + ".lora_up.weight", at::ones({32, 2})}},
      {{"sampler", "lcm"}, {"steps", "2"}, {"grid", "50"}, {"conditions", "image,randomref,dwpose"}});
  const std::vector<std::string> variants{"--steps",   "2",
                                          "--variant", "timesteps=trailing",
                                          "--variant", "lora=fast.safetensors",
                                          "--variant", "lora=fast.safetensors:0 steps=1",
                                          "--variant", "timesteps=trailing models=" + models_->path().string()};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), variants.begin(), variants.end());
    return run(more);
  };
  const ProgramResult result = with({"--conditions", "reference"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("fast.safetensors says that it is distilled (lcm, 2 steps"));
  std::ifstream file(output("quality.json"));
  const json rows = json::parse(file).at("rows");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].at("sampler"), "ddim");
  EXPECT_EQ(rows[1].at("sampler"), "lcm");
  EXPECT_EQ(rows[1].at("timesteps"), "distillation");
  EXPECT_EQ(rows[2].at("steps"), 1);
  EXPECT_GT(rows[1].at("against").at("latent_distance"), 0.01);
  EXPECT_EQ(rows[3].at("against").at("latent_distance"), 0);
  EXPECT_GT(rows[3].at("sharpness"), 0);

  const ProgramResult refused = with({"--conditions", "reference,first-frame", "--dry-run"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("fast.safetensors was distilled with the conditions image,randomref,dwpose and "
                                     "knows no others, but image,local_image,dwpose are asked for; give --conditions "
                                     "image+randomref+dwpose, or"));
  const ProgramResult in_long =
      testing::run_here({"evaluate", "long", "--models", models_->path().string(), "--lora", "fast.safetensors",
                         "--conditions", "image", "--output", "long", "--device", "cpu"},
                        folder_.path());
  EXPECT_EQ(in_long.status, 2);
  EXPECT_THAT(in_long.err, HasSubstr("but image are asked for; give --conditions image+randomref+dwpose"));
}

TEST_F(EvaluateModelCommand, WritesAVideoOfEachPersonAndSettingWithFourColumns) {
  ASSERT_EQ(run({"--videos"}).status, 0);
  for (const char* name : {"person-7-1.mp4", "person-7-2.mp4", "person-8-1.mp4", "person-8-2.mp4"}) {
    const auto video = open_frame_source(output(name));
    EXPECT_EQ(video->info().width, 4 * 4 * 32) << "64 rows are enlarged fourfold to 256";
    EXPECT_EQ(video->info().height, 256);
    EXPECT_EQ(video->info().frame_count, 2);
  }
}

TEST_F(EvaluateModelCommand, MakesAndTimesChainsAndWindows) {
  const auto row = [&](std::vector<std::string> options) {
    options.insert(options.end(), {"--people", "7-7", "--frames", "4", "--steps", "1", "--conditions", "reference"});
    const ProgramResult result = run(options);
    EXPECT_EQ(result.status, 0) << result.err;
    std::ifstream file(output("quality.json"));
    return json::parse(file).at("rows")[0];
  };
  const json whole = row({});
  EXPECT_EQ(whole.at("chain"), nullptr);
  EXPECT_EQ(whole.at("unet_calls_per_video"), 1);
  const json chain = row({"--chain", "--segment-size", "2", "--color-match"});
  EXPECT_EQ(chain.at("chain"), json({{"segment_size", 2}, {"segment_overlap", 1}, {"color_match", true}}));
  EXPECT_EQ(chain.at("unet_calls_per_video"), 3);
  EXPECT_GT(chain.at("seconds_per_unet_call"), 0);
  EXPECT_NE(chain.at("psnr"), whole.at("psnr"));
  const json windows = row({"--context-size", "2", "--context-overlap", "1", "--context-schedule", "even"});
  EXPECT_EQ(windows.at("context_schedule"), "even");
  EXPECT_EQ(windows.at("unet_calls_per_video"), 3);
}

TEST_F(EvaluateModelCommand, IsTheSameEachTime) {
  const std::vector<std::string> options{"--conditions", "reference", "--steps", "1", "--json", "--quiet"};
  const auto measured = [&] {
    const ProgramResult result = run(options);
    EXPECT_EQ(result.status, 0) << result.err;
    json event = json::parse(result.out);
    EXPECT_EQ(event.at("event"), "quality");
    return event.at("rows")[0].at("psnr").get<double>();
  };
  EXPECT_EQ(measured(), measured());
}

TEST_F(EvaluateModelCommand, ADryRunWritesNothing) {
  const ProgramResult result = run({"--dry-run"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("2 people with 4 settings: 8 videos of 2 frames"));
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(EvaluateModelCommand, APresetIsFittedToTheValuesOfLists) {
  const auto guidance_every = [&](const std::vector<std::string>& said) {
    std::vector<std::string> options{"--guidance", "2.5,1",        "--steps",   "30,1",      "--timesteps",
                                     "published",  "--conditions", "reference", "--dry-run", "--json"};
    options.insert(options.end(), said.begin(), said.end());
    const ProgramResult result = run(options);
    EXPECT_EQ(result.status, 0) << result.err;
    std::vector<std::int64_t> every;
    const json plan = json::parse(result.out);
    for (const json& setting : plan.at("settings")) {
      every.push_back(setting.at("request").at("guidance_every").get<std::int64_t>());
    }
    return every;
  };
  EXPECT_EQ(guidance_every({"--preset", "close"}), (std::vector<std::int64_t>{2, 1, 1, 1}));
  EXPECT_EQ(guidance_every({"--variant", "close"}), (std::vector<std::int64_t>{2, 1, 2, 1})) << "it has its own steps";
}

TEST_F(EvaluateModelCommand, RefusesBeforeLongWork) {
  const auto refused = [&](const std::vector<std::string>& options, int status, const char* sentence) {
    const ProgramResult result = run(options);
    EXPECT_EQ(result.status, status) << result.err;
    EXPECT_THAT(result.err, HasSubstr(sentence));
    EXPECT_EQ(result.err.find("animate people"), std::string::npos);
  };
  refused({"--size", "40x64"}, 2, "the sides of 40x64 must be multiples of 16 for these models; near is 48x64");
  refused({"--output", "/proc/quality"}, 4, "/proc/quality");
  std::ofstream(folder_ / "file") << "text";
  refused({"--output", "file"}, 4, "file");
  refused({"--memory-budget", "1kB"}, 4, "the budget is");
  refused({"--variant", "exact", "--variant", "weeks=1"}, 2, "there is no setting called 'weeks'");
  refused({"--variant", "exact", "--variant", "segment_overlap=4"}, 2,
          "there is no setting called 'segment_overlap' here unless --chain is given");
  refused({"--variant", "exact", "--variant", "frames=3"}, 2, "there is no setting called 'frames' here");
  refused({"--variant", "exact", "--preset", "draft"}, 2, "--preset has no effect with --variant");
  refused({"--variant", "exact", "--variant", "models=nowhere"}, 3, "nowhere");
  refused({"--variant", "exact", "--variant", "lora=nothing.safetensors"}, 3, "nothing.safetensors");
  refused({"--variant", "exact", "--variant", "timesteps=999,499 steps=3"}, 2,
          "steps has no effect in the variant 'timesteps=999,499 steps=3'");
  refused({"--variant", "fast"}, 2, "settings are written as in steps=12 reuse-every=2, found 'fast'");
}

}  // namespace
}  // namespace unianimate
