// What would be made is told without making anything, and options that say nothing about it are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/command.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/media/film/motion_interpolation.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/format/openpose_json.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/puppet/clip_poses.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using testing::ProgramResult;

constexpr int kUsage = 2;

class DryRun : public ::testing::Test {
 protected:
  static constexpr int kFrames = 12;
  static constexpr double kRate = 16;

  static void SetUpTestSuite() {
    shared_ = std::make_unique<testing::TemporaryFolder>();
    const fs::path folder = shared_->path();
    fs::create_directories(folder / "models");
    testing::write_rule_models(folder / "models", testing::tiny_model_configs());
    const puppet::Clip clip({.seed = 7, .width = 96, .height = 128, .frames = kFrames, .frames_per_second = kRate});
    write_png(folder / "person.png", clip.reference());
    const pose::AlignedPoses poses = puppet::poses_of(clip);
    pose::write_poses(folder / "aligned.json", poses);
    pose::write_poses(folder / "detected.json", poses.motion);
    pose::write_openpose(folder / "openpose", poses.motion);
    const auto video = open_video_writer(folder / "dance.mp4", {96, 128, kRate, 1});
    for (int i = 0; i < kFrames; ++i) video->write(clip.frame(i));
    video->finish();
    fs::create_directories(folder / "poses");
    write_png(folder / "poses/ref_pose.png", Image(8, 8));
    for (const char* name : {"poses/0.png", "poses/1.png", "poses/2.png"}) write_png(folder / name, Image(8, 8));
    std::ofstream(folder / "infer.yaml") << "test_list_path: [[1, person.png, poses]]\nresolution: [64, 128]\n"
                                         << "max_frames: 3\nddim_timesteps: 2\nUNet: {dim: 16}\n";
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static std::set<std::string> names() {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(shared_->path())) names.insert(entry.path().string());
    return names;
  }
  static ProgramResult run(const std::vector<std::string>& arguments) {
    return testing::run_here(arguments, shared_->path(), "models");
  }
  static ProgramResult animate(const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"animate", "--reference", "person.png", "--size", "64x128", "--device", "cpu"};
    if (std::ranges::count(options, "--output") == 0) arguments.insert(arguments.end(), {"--output", "out.mp4"});
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run(arguments);
  }
  /// The only JSON object of a plan.
  static json plan(std::vector<std::string> options) {
    options.insert(options.end(), {"--dry-run", "--json", "--quiet"});
    const std::set<std::string> before = names();
    const ProgramResult result = animate(options);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(names(), before) << "something was written";
    return json::parse(result.out);
  }

  static std::unique_ptr<testing::TemporaryFolder> shared_;
};

std::unique_ptr<testing::TemporaryFolder> DryRun::shared_;

TEST_F(DryRun, CountsTheFramesOfAMotionAndWritesNothing) {
  for (const char* motion : {"dance.mp4", "detected.json", "openpose"}) {
    const json all = plan({"--motion", motion, "--frames", "all"});
    EXPECT_EQ(all.at("frames"), kFrames / 2) << motion << ": every second pose";
    EXPECT_EQ(all.at("frames_per_second"), kRate / 2) << motion;
    EXPECT_EQ(all.at("motion").at("poses"), kFrames) << motion;
    EXPECT_EQ(all.at("request").at("poses"), "out-poses");
  }
  EXPECT_EQ(plan({"--motion", "dance.mp4", "--frames", "all", "--fps", "8"}).at("frames"), kFrames / 2);
  EXPECT_EQ(plan({"--motion", "dance.mp4", "--frames", "all", "--interval", "1", "--end", "0.5"}).at("frames"), 8);
  EXPECT_EQ(plan({"--motion", "dance.mp4", "--frames", "all", "--interval", "1", "--speed", "0.5"}).at("frames"),
            2 * kFrames - 1);
  EXPECT_EQ(plan({"--motion", "dance.mp4", "--frames", "3"}).at("frames"), 3);
}

TEST_F(DryRun, CountsPosesInJson) {
  const json aligned = plan({"--poses", "aligned.json", "--frames", "all", "--interval", "1"});
  EXPECT_EQ(aligned.at("frames"), kFrames);
  EXPECT_EQ(aligned.at("frames_per_second"), kRate);
  EXPECT_EQ(plan({"--poses", "openpose", "--frames", "all", "--interval", "1"}).at("frames"), kFrames);
}

TEST_F(DryRun, CountsTheMemoryOfFramesThatAreGuessed) {
  const auto bytes = [](const std::vector<std::string>& more) {
    std::vector<std::string> options{"--poses", "poses", "--frames", "3"};
    options.insert(options.end(), more.begin(), more.end());
    return plan(options).at("estimated_bytes").get<std::int64_t>();
  };
  EXPECT_EQ(bytes({"--interpolate", "2"}) - bytes({}), kInterpolationPixelBytes * 64 * 128);
  EXPECT_EQ(bytes({"--interpolate", "4", "--comparison"}) - bytes({"--comparison"}),
            kInterpolationPixelBytes * 3 * 64 * 128);
}

TEST_F(DryRun, CountsTheStepsOfEveryList) {
  const auto planned = [](const std::vector<std::string>& options) {
    std::vector<std::string> all{"--poses", "poses", "--guidance", "1"};
    all.insert(all.end(), options.begin(), options.end());
    const json found = plan(all);
    EXPECT_EQ(found.at("unet_calls"), found.at("timesteps"));
    return found;
  };
  EXPECT_EQ(planned({"--steps", "30"}).at("timesteps"), 31);
  for (const char* list : {"trailing", "linspace", "multistep-leading", "distillation", "949-25"}) {
    EXPECT_EQ(planned({"--steps", "30", "--timesteps", list}).at("timesteps"), 30) << list;
  }
  const json own = planned({"--sampler", "unipc", "--timesteps", "999,749,499"});
  EXPECT_EQ(own.at("timesteps"), 3);
  EXPECT_EQ(own.at("request").at("steps"), 3);
  EXPECT_EQ(own.at("request").at("sampler"), "unipc");
}

TEST_F(DryRun, EveryPhaseIsEstimated) {
  const json planned = plan({"--poses", "poses"});
  double sum = 0;
  std::vector<std::string> names;
  for (const json& phase : planned.at("estimated_phases")) {
    names.push_back(phase.at("name"));
    EXPECT_GT(phase.at("seconds").get<double>(), 0) << names.back();
    sum += phase.at("seconds").get<double>();
    const bool computes = names.back() == "encode reference" || names.back() == "sample" || names.back() == "decode";
    EXPECT_EQ(phase.at("operations").is_number(), computes) << names.back();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"read pictures", "encode reference", "load UNet", "sample", "decode",
                                             "write video"}));
  EXPECT_DOUBLE_EQ(planned.at("estimated_seconds").get<double>(), sum);
}

TEST_F(DryRun, WhatStandsWhereItWouldWriteIsNoHindrance) {
  fs::create_directories(*shared_ / "frames.v2");
  fs::create_directories(*shared_ / "empty");
  EXPECT_EQ(plan({"--poses", "poses", "--output", "frames.v2"}).at("output"), "frames.v2");
  EXPECT_EQ(plan({"--motion", "dance.mp4", "--save-poses", "empty"}).at("request").at("poses"), "empty");
  fs::create_directories(*shared_ / "out-poses");
  EXPECT_EQ(plan({"--motion", "dance.mp4"}).at("request").at("poses"), "out-poses");
  for (const char* made : {"frames.v2", "empty", "out-poses"}) fs::remove(*shared_ / made);
}

TEST_F(DryRun, ADistilledLoraSetsTheSamplingUnlessItIsSaidOtherwise) {
  const std::string layer = "middle_block.1.proj_in";
  checkpoint::save_safetensors(
      *shared_ / "fast.safetensors",
      {{layer + ".lora_down.weight", at::ones({2, 32})}, {layer + ".lora_up.weight", at::ones({32, 2})}},
      {{"sampler", "lcm"}, {"steps", "4"}, {"grid", "50"}, {"guidance", "2.5"}});
  const json fast = plan({"--poses", "poses", "--lora", "fast.safetensors"}).at("request");
  EXPECT_EQ(fast.at("sampler"), "lcm");
  EXPECT_EQ(fast.at("timesteps"), "distillation");
  EXPECT_EQ(fast.at("steps"), 4);
  EXPECT_EQ(fast.at("guidance_scale"), 1);
  const json said =
      plan({"--poses", "poses", "--lora", "fast.safetensors", "--steps", "8", "--guidance", "1.5"}).at("request");
  EXPECT_EQ(said.at("sampler"), "lcm");
  EXPECT_EQ(said.at("steps"), 8);
  EXPECT_EQ(said.at("guidance_scale"), 1.5);
  EXPECT_THAT(animate({"--poses", "poses", "--lora", "fast.safetensors", "--dry-run"}).err,
              HasSubstr("fast.safetensors says that it is distilled (lcm, 4 steps"));
  EXPECT_THAT(
      animate({"--poses", "poses", "--sampler", "lcm", "--timesteps", "distillation", "--steps", "4", "--dry-run"}).err,
      HasSubstr("nothing in these files says that they are"));
  fs::remove(*shared_ / "fast.safetensors");
}

TEST_F(DryRun, ADistilledModelTakesNoShortcutsWhateverSamplesIt) {
  const std::string layer = "middle_block.1.proj_in";
  const auto problem = [&](const char* kind, std::vector<std::string> options) {
    checkpoint::save_safetensors(
        *shared_ / "few.safetensors",
        {{layer + ".lora_down.weight", at::ones({2, 32})}, {layer + ".lora_up.weight", at::ones({32, 2})}},
        {{"sampler", kind}, {"steps", "4"}, {"grid", "50"}});
    options.insert(options.end(), {"--poses", "poses", "--lora", "few.safetensors", "--dry-run"});
    return animate(options).err;
  };
  EXPECT_THAT(problem("phased", {"--reuse-every", "2"}),
              HasSubstr("no shortcuts, found features below level 0 every 2 steps"));
  EXPECT_THAT(problem("phased", {"--extrapolate"}), HasSubstr("no shortcuts, found extrapolated every 2 steps"));
  EXPECT_THAT(problem("phased", {"--preset", "draft"}), HasSubstr("found preset draft; leave it out"));
  EXPECT_THAT(problem("lcm", {"--sampler", "ddim", "--preset", "draft"}),
              HasSubstr("few.safetensors is distilled (lcm, 4 steps), and its few steps go with no preset"));
  EXPECT_THAT(problem("phased", {}), ::testing::Not(HasSubstr("no preset")));
  fs::remove(*shared_ / "few.safetensors");
}

TEST_F(DryRun, WhereThePublishedProgramMakesNoPictureIsTold) {
  const auto notes = [](const std::string& steps) {
    const ProgramResult result = run(
        {"run", "infer.yaml", "--set", "ddim_timesteps=" + steps, "--dry-run", "--json", "--quiet", "--device", "cpu"});
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out).at("notes").dump();
  };
  EXPECT_THAT(notes("3"), HasSubstr("the published program divides by zero"));
  EXPECT_THAT(notes("30"), ::testing::Not(HasSubstr("divides by zero")));
}

TEST_F(DryRun, AConfigurationsSmallDecoderLiesBesideItsAutoencoder) {
  std::ofstream(*shared_ / "named.yaml") << std::ifstream(*shared_ / "infer.yaml").rdbuf()
                                         << "test_model: models/unianimate_16f_32f_non_ema_223000.pth\n"
                                         << "embedder: {pretrained: models/open_clip_pytorch_model.bin}\n"
                                         << "auto_encoder: {pretrained: models/v2-1_512-ema-pruned.ckpt}\n";
  const auto small = [] {
    return testing::run_here(
        {"run", "named.yaml", "--decoder", "small", "--dry-run", "--json", "--quiet", "--device", "cpu", "--root", "."},
        shared_->path());
  };
  EXPECT_THAT(small().err, HasSubstr("there is no small decoder beside these models"));
  const fs::path decoder = *shared_ / "models/small_decoder.safetensors";
  testing::write_rule_small_decoder(*shared_ / "models", decoder);
  const ProgramResult planned = small();
  fs::remove(decoder);
  fs::remove(*shared_ / "named.yaml");
  ASSERT_EQ(planned.status, 0) << planned.err;
  const json plan = json::parse(planned.out);
  EXPECT_EQ(plan.at("request").at("decoder"), "small");
  EXPECT_THAT(plan.at("machine").at("small_decoder").get<std::string>(), HasSubstr("models/small_decoder.safetensors"));
}

TEST_F(DryRun, ThousandsOfVideosArePlannedAtOnce) {
  const std::set<std::string> before = names();
  const ProgramResult result =
      run({"run", "infer.yaml", "--set", "round=2000", "--dry-run", "--json", "--quiet", "--device", "cpu"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(names(), before);
  std::istringstream lines(result.out);
  std::set<double> seconds;
  std::uint64_t seed = 11;
  for (std::string line; std::getline(lines, line); ++seed) {
    const json plan = json::parse(line);
    ASSERT_EQ(plan.at("seed"), seed);
    seconds.insert(plan.at("estimated_seconds").get<double>());
  }
  EXPECT_EQ(seed, 2011U);
  EXPECT_EQ(seconds.size(), 1U) << "the machine was measured more than once";
}

struct Unused {
  std::string name;
  std::vector<std::string> arguments;
  std::string sentence;
};

class UnusedOptions : public DryRun, public ::testing::WithParamInterface<Unused> {};

TEST_P(UnusedOptions, AreRefused) {
  const std::set<std::string> before = names();
  const Unused& unused = GetParam();
  const ProgramResult result =
      unused.arguments.front().starts_with("--") ? animate(unused.arguments) : run(unused.arguments);
  EXPECT_EQ(result.status, kUsage) << result.out;
  EXPECT_THAT(result.err, HasSubstr(unused.sentence));
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_EQ(names(), before);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, UnusedOptions,
    ::testing::Values(
        Unused{"start", {"--poses", "poses", "--start", "1"}, "--start has no effect with a folder of pose pictures"},
        Unused{"person", {"--poses", "poses", "--person", "left"}, "--person has no effect with a folder"},
        Unused{"save_poses", {"--poses", "poses", "--save-poses", "x"}, "--save-poses has no effect with a folder"},
        Unused{"audio", {"--poses", "poses", "--audio", "keep"}, "--audio has no effect with a folder"},
        Unused{"smooth", {"--poses", "aligned.json", "--smooth"}, "--smooth has no effect with poses that are fitted"},
        Unused{"interval",
               {"--motion", "dance.mp4", "--fps", "8", "--frame-interval", "3"},
               "--frame-interval has no effect with --fps"},
        Unused{"max_stretch",
               {"--motion", "dance.mp4", "--alignment", "published", "--max-stretch", "1.1"},
               "--max-stretch has no effect with --alignment published"},
        Unused{"steps",
               {"--poses", "poses", "--timesteps", "999,499", "--steps", "4"},
               "--steps has no effect with a list of --timesteps"},
        Unused{"steps_evaluated",
               {"evaluate", "model", "--output", "x", "--timesteps", "999,499", "--steps", "2,4"},
               "--steps has no effect with a list of --timesteps"},
        Unused{"keep_job", {"--poses", "poses", "--save-every", "0", "--keep-job"}, "--keep-job has no effect with"},
        Unused{"job", {"--poses", "poses", "--save-every", "0", "--job", "x"}, "--job has no effect with --save-every"},
        Unused{"run_keep_job", {"run", "infer.yaml", "--save-every", "0", "--keep-job"}, "--keep-job has no effect"},
        Unused{"preview_decoded", {"--poses", "poses", "--preview-decoded"}, "--preview-decoded requires"},
        Unused{"detect_only",
               {"align", "--motion", "dance.mp4", "--output", "x", "--detect-only", "--size", "64x64"},
               "--size has no effect with --detect-only"},
        Unused{"settings",
               {"evaluate", "model", "--output", "x", "--guidance", "1,2,3,4,5,6,7,8,9,10", "--seed",
                "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21"},
               "more than 200 settings"}),
    [](const auto& input) { return input.param.name; });

}  // namespace
}  // namespace unianimate
