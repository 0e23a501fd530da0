// Whatever is wrong with the input: one clear sentence on stderr, the right exit status, and nothing written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "cli/command.h"
#include "support/temporary_folder.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::run_here;

void expect_one_sentence(const ProgramResult& result, int status, const std::string& sentence) {
  EXPECT_EQ(result.status, status) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, ::testing::StartsWith("unianimate: "));
  EXPECT_THAT(result.err, HasSubstr(sentence));
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
}

/// A reference picture and a folder of poses that are all right, to be spoilt; there are no models.
class Inputs {
 public:
  Inputs() {
    fs::create_directories(folder_ / "poses");
    write_png(reference(), Image(20, 30));
    write_png(pose("ref_pose.jpg"), Image(8, 8));
    write_png(pose("0.png"), Image(8, 8));
    write_png(pose("1.png"), Image(8, 8));
  }

  [[nodiscard]] fs::path reference() const { return folder_ / "person.png"; }
  [[nodiscard]] fs::path pose(const std::string& name) const { return folder_ / "poses" / name; }
  [[nodiscard]] fs::path in_folder(const std::string& name) const { return folder_ / name; }

  /// Later options win over the first ones.
  [[nodiscard]] ProgramResult animate(std::vector<std::string> options) const {
    const std::vector<std::pair<std::string, std::string>> needed{
        {"--reference", "person.png"}, {"--poses", "poses"}, {"--output", "out.mp4"}};
    std::vector<std::string> arguments{"animate"};
    for (const auto& [name, value] : needed) {
      if (std::ranges::count(options, name) == 0) arguments.insert(arguments.end(), {name, value});
    }
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_here(arguments, folder_.path());
  }

 private:
  testing::TemporaryFolder folder_;
};

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

struct BadInput {
  const char* name;
  std::vector<std::string> options;
  std::function<void(const Inputs&)> spoil;
  int status;
  const char* sentence;
};

std::ostream& operator<<(std::ostream& out, const BadInput& bad) {
  return out << bad.name;
}

class Animate : public ::testing::TestWithParam<BadInput> {};

TEST_P(Animate, SaysWhatIsWrong) {
  const Inputs inputs;
  if (GetParam().spoil) GetParam().spoil(inputs);
  expect_one_sentence(inputs.animate(GetParam().options), GetParam().status, GetParam().sentence);
  EXPECT_FALSE(fs::exists(inputs.in_folder("out.mp4")));
}

constexpr int kUsage = 2;
constexpr int kInput = 3;
constexpr int kEnvironment = 4;

INSTANTIATE_TEST_SUITE_P(
    Options, Animate,
    ::testing::Values(
        BadInput{"size", {"--size", "5000x768"}, {}, kUsage, "width must be between 16 and 4096 pixels, found 5000"},
        BadInput{"no_size",
                 {"--size", "big"},
                 {},
                 kUsage,
                 "--size expects auto or width x height in pixels such as 512x768"},
        BadInput{"zero_size", {"--size", "0x0"}, {}, kUsage, "width must be"},
        BadInput{"frames", {"--frames", "0"}, {}, kUsage, "--frames must be between 1 and 1000000, found 0"},
        BadInput{"no_frames", {"--frames", "many"}, {}, kUsage, "--frames expects a number or 'all'"},
        BadInput{
            "interval", {"--interval", "-1"}, {}, kUsage, "--frame-interval must be between 1 and 1000000, found -1"},
        BadInput{"no_interval", {"--frame-interval", "2.5"}, {}, kUsage, "--frame-interval expects a whole number"},
        BadInput{"steps", {"--steps", "0"}, {}, kUsage, "steps must be between 1 and 1000, found 0"},
        BadInput{"sampler", {"--sampler", "heun"}, {}, kUsage, "sampler must be ddim, euler,"},
        BadInput{"timesteps", {"--timesteps", "999;499"}, {}, kUsage, "or a descending list such as 999,749,499,249"},
        BadInput{"rising_timesteps", {"--timesteps", "1,999"}, {}, kUsage, "descend, but 1 stands before 999"},
        BadInput{"few_timesteps", {"--timesteps", "distillation", "--steps", "60"}, {}, kUsage, "are 50 at most"},
        BadInput{"final_level", {"--final-level", "one"}, {}, kUsage, "--final-level must be zero or sigma_min"},
        BadInput{"no_number", {"--sampler", "unipc-bh1", "--final-level", "zero"}, {}, kUsage, "which gives no number"},
        BadInput{"eta", {"--sampler", "unipc", "--eta", "0.5"}, {}, kUsage, "eta has no effect with the sampler unipc"},
        BadInput{"guidance", {"--guidance", "nan"}, {}, kUsage, "--guidance expects a number, found 'nan'"},
        BadInput{"seed", {"--seed", "-3"}, {}, kUsage, "--seed expects a whole number from 0 up, found '-3'"},
        BadInput{"noise_prior", {"--noise-prior", "1000"}, {}, kUsage, "--noise-prior must be between 0 and 999"},
        BadInput{"order",
                 {"--noise-prior-order", "wide"},
                 {},
                 kUsage,
                 "--noise-prior-order must be short or long, found 'wide'"},
        BadInput{"conditions", {"--conditions", "image,sound"}, {}, kUsage, "found 'sound'"},
        BadInput{"overlap",
                 {"--context-size", "8", "--context-overlap", "8"},
                 {},
                 kUsage,
                 "context_overlap must be between 0 and context_size 8 - 1, found 8"},
        BadInput{"fps", {"--fps", "0"}, {}, kUsage, "--fps must be between 0.01 and 1000, found 0"},
        BadInput{"gif_fps", {"--output", "out.gif", "--fps", "60", "--dry-run"}, {}, kUsage, "at most 50 are possible"},
        BadInput{"background", {"--background", "purplish"}, {}, kUsage, "a colour is #RRGGBB or one of black, white"},
        BadInput{"device", {"--device", "tpu"}, {}, kUsage, "the device is one of auto, cpu, cuda"},
        BadInput{"dtype", {"--dtype", "int4"}, {}, kUsage, "the dtype is one of"},
        BadInput{"fp16", {"--device", "cpu", "--dtype", "fp16"}, {}, kUsage, "--dtype fp16 is for CUDA only"},
        BadInput{"int8", {"--device", "cuda", "--dtype", "int8"}, {}, kUsage, "--dtype int8 is for CPUs only"},
        BadInput{"memory", {"--memory-budget", "lots"}, {}, kUsage, "--memory-budget expects a size"},
        BadInput{"no_memory", {"--memory-budget", "0"}, {}, kUsage, "--memory-budget must be above 0"},
        BadInput{"hex_steps", {"--steps", "0x10"}, {}, kUsage, "--steps expects a whole number, found '0x10'"},
        BadInput{"threads", {"--threads", "0"}, {}, kUsage, "--threads"},
        BadInput{"suffix", {"--output", "out.avi"}, {}, kUsage, "out.avi"},
        BadInput{"unknown", {"--sise", "512x768"}, {}, kUsage, "--sise"}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Files, Animate,
    ::testing::Values(
        BadInput{"no_models", {"--models", "elsewhere"}, {}, kInput, "there is no models folder elsewhere"},
        BadInput{"models_missing",
                 {"--models", "poses"},
                 {},
                 kInput,
                 "lacks unianimate_16f_32f_non_ema_223000.pth (UNet), v2-1_512-ema-pruned.ckpt"},
        BadInput{"no_reference", {"--reference", "nobody.png"}, {}, kInput, "nobody.png"},
        BadInput{"text_as_picture",
                 {},
                 [](const Inputs& in) { write_text(in.reference(), "I am no picture"); },
                 kInput,
                 "person.png"},
        BadInput{"video_as_picture",
                 {},
                 [](const Inputs& in) {
                   write_text(in.reference(), std::string("\0\0\0\x18"
                                                          "ftypisom\0\0\2\0",
                                                          16));
                 },
                 kInput,
                 "person.png is a video"},
        BadInput{"empty_picture", {}, [](const Inputs& in) { write_text(in.reference(), ""); }, kInput, "person.png"},
        BadInput{"half_a_picture",
                 {},
                 [](const Inputs& in) { fs::resize_file(in.reference(), fs::file_size(in.reference()) / 2); },
                 kInput,
                 "person.png"},
        BadInput{"folder_as_picture", {"--reference", "poses"}, {}, kInput, "poses"},
        BadInput{"no_poses", {"--poses", "nowhere"}, {}, kInput, "there is no pose folder nowhere"},
        BadInput{"no_reference_pose",
                 {},
                 [](const Inputs& in) { fs::remove(in.pose("ref_pose.jpg")); },
                 kInput,
                 "lacks ref_pose.jpg"},
        BadInput{"reference_pose_only",
                 {},
                 [](const Inputs& in) {
                   fs::remove(in.pose("0.png"));
                   fs::remove(in.pose("1.png"));
                 },
                 kInput,
                 "holds no pose beside ref_pose.jpg"},
        BadInput{"mixed_sizes",
                 {},
                 [](const Inputs& in) { write_png(in.pose("1.png"), Image(8, 9)); },
                 kInput,
                 "1.png is 8x9"},
        BadInput{"empty_pose", {}, [](const Inputs& in) { write_text(in.pose("1.png"), ""); }, kInput, "1.png"},
        BadInput{"unwritable", {"--output", "/proc/x.mp4", "--dry-run"}, {}, kEnvironment, "/proc cannot be written"},
        BadInput{"foreign_frames",
                 {"--output", "frames", "--dry-run"},
                 [](const Inputs& in) {
                   fs::create_directory(in.in_folder("frames"));
                   write_png(in.in_folder("frames/0000.png"), Image(8, 8));
                 },
                 kUsage,
                 "frames holds 0000.png"},
        BadInput{
            "output_of_poses", {"--output", "poses", "--dry-run"}, {}, kUsage, "the output poses is the input poses"},
        BadInput{"no_output_folder", {"--output", "nowhere/out.mp4"}, {}, kEnvironment, "nowhere"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Animate, RefusesAFolderItMayNotWriteTo) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere, so there is nothing to test";
  const Inputs inputs;
  fs::create_directory(inputs.in_folder("locked"));
  fs::permissions(inputs.in_folder("locked"), fs::perms::owner_read | fs::perms::owner_exec);
  expect_one_sentence(inputs.animate({"--output", "locked/out.mp4"}), kEnvironment, "locked");
}

TEST(Animate, ReportsErrorsAsJsonToo) {
  const ProgramResult result = Inputs().animate({"--size", "5000x768", "--json"});
  EXPECT_EQ(result.status, kUsage);
  EXPECT_THAT(result.out, ::testing::StartsWith(R"({"event":"error","message":"size: the width must be)"));
  EXPECT_THAT(result.out, HasSubstr(R"("exit_status":2)"));
}

TEST(Animate, ReportsACommandLineItCannotReadAsJsonToo) {
  const ProgramResult result = Inputs().animate({"--sise", "512x768", "--json"});
  EXPECT_EQ(result.status, kUsage);
  EXPECT_THAT(result.out, ::testing::StartsWith(R"({"event":"error",)"));
}

TEST(EvaluateVideos, ReportsErrorsAsJsonToo) {
  const Inputs inputs;
  const ProgramResult result =
      run_here({"evaluate", "videos", "missing.mp4", "gone.mp4", "--json"}, inputs.in_folder(""));
  EXPECT_EQ(result.status, kInput);
  EXPECT_THAT(result.out, ::testing::StartsWith(R"({"event":"error",)"));
}

TEST(Animate, PrintsNoControlCharactersOfNames) {
  const ProgramResult result = Inputs().animate({"--reference", "a\x1b[2J\nb.png"});
  expect_one_sentence(result, kInput, "a\\x1b[2J\\x0ab.png");
}

ProgramResult run_config(const Inputs& inputs, const std::string& yaml, const std::vector<std::string>& options = {}) {
  write_text(inputs.in_folder("infer.yaml"), yaml);
  std::vector<std::string> arguments{"run", "infer.yaml"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return run_here(arguments, inputs.in_folder(""));
}

constexpr const char* kItems = "test_list_path: [[1, person.png, poses]]\n";

TEST(Run, SaysWhatIsWrongWithTheConfiguration) {
  const Inputs inputs;
  expect_one_sentence(run_config(inputs, "a: [1"), kInput, "infer.yaml, line");
  expect_one_sentence(run_config(inputs, std::string(kItems) + "seed: x"), kUsage, "infer.yaml, line 2: seed must be");
  expect_one_sentence(run_config(inputs, kItems, {"--set", "sed=3"}), kUsage, "--set sed");
  expect_one_sentence(run_config(inputs, kItems, {"--set", "seed=3", "--set", "round=0"}), kUsage, "--set round");
  expect_one_sentence(run_config(inputs, kItems), kInput, "there is no models folder checkpoints");
  expect_one_sentence(run_config(inputs, std::string(kItems) + "test_model: person.png"), kUsage, "lacks embedder.pre");
  expect_one_sentence(run_config(inputs, std::string(kItems) + "resolution: [10, 128]"), kUsage, "width must be");
  expect_one_sentence(run_config(inputs, "test_list_path: [[1, person.png, poses], [1, nobody.png, poses]]"), kInput,
                      "nobody.png");
  expect_one_sentence(run_config(inputs, kItems, {"--root", "elsewhere"}), kInput, "elsewhere/person.png");
  expect_one_sentence(run_here({"run", "nothing.yaml"}, inputs.in_folder("")), kInput, "nothing.yaml");
  EXPECT_FALSE(fs::exists(inputs.in_folder("outputs")));
}

TEST(Run, NamesTheMissingCheckpoint) {
  const std::string models =
      "test_model: unet.pth\nembedder: {pretrained: clip.bin}\nauto_encoder: {pretrained: sd.ckpt}";
  expect_one_sentence(run_config(Inputs(), kItems + models), kInput, "there is no unet.pth (test_model of infer.yaml)");
}

TEST(EvaluateModel, SaysWhatIsWrongBeforeItBegins) {
  const Inputs inputs;
  write_text(inputs.in_folder("file"), "");
  const auto refused = [&](const std::vector<std::string>& options, int status, const std::string& sentence) {
    std::vector<std::string> arguments{"evaluate", "model", "--output", "quality"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    expect_one_sentence(run_here(arguments, inputs.in_folder("")), status, sentence);
  };
  refused({"--models", "elsewhere"}, kInput, "there is no models folder elsewhere");
  refused({"--people", "9-3"}, kUsage, "the people 9-3 run backwards");
  refused({"--people", ""}, kUsage, "--people expects one seed or two, such as 900000-900031, found ''");
  refused({"--people", "1-2-3"}, kUsage, "found '1-2-3'");
  refused({"--people", "0-18446744073709551615"}, kUsage, "more than the 10000 that can be measured at once");
  refused({"--conditions", "reference,sound"}, kUsage, "found 'sound'");
  refused({"--steps", "1,,2"}, kUsage, "--steps expects a whole number, or several separated by commas, found ''");
  refused({"--guidance", "1,nan"}, kUsage, "--guidance expects a number");
  refused({"--noise-prior", "1000"}, kUsage, "--noise-prior must be between 0 and 999, found 1000");
  refused({"--size", "8x128"}, kUsage, "--size: the width must be between 16 and 4096 pixels");
  refused({"--motion", "hop"}, kUsage, "the motion is dance, walk or wave, found 'hop'");
  refused({"--frames", "0"}, kUsage, "--frames must be between 1 and 100000");
  EXPECT_FALSE(fs::exists(inputs.in_folder("quality")));
}

TEST(Models, SayWhatIsWrong) {
  const Inputs inputs;
  write_text(inputs.in_folder("text.pth"), "no checkpoint");
  const auto run = [&](const std::vector<std::string>& arguments) { return run_here(arguments, inputs.in_folder("")); };
  expect_one_sentence(run({"models", "list"}), kInput, "there is no models folder checkpoints");
  expect_one_sentence(run({"models", "inspect", "text.pth"}), kInput, "text.pth");
  expect_one_sentence(run({"models", "inspect", "nothing.pth"}), kInput, "nothing.pth");
  expect_one_sentence(run({"models", "convert", "text.pth", "out.safetensors"}), kInput, "text.pth");
  expect_one_sentence(run({"models", "convert", "text.pth", "out.pth"}), kUsage, "must end in .safetensors");
  expect_one_sentence(run({"models", "convert", "text.pth", "out.safetensors", "--dtype", "int4"}), kUsage, "--dtype");
  expect_one_sentence(run({"models"}), kUsage, "subcommand");
}

TEST(Program, ExplainsItself) {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{}, {"animate"}, {"run"}, {"models"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const ProgramResult result = run_here(arguments, ".");
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.out, HasSubstr("Examples:"));
    EXPECT_EQ(result.err, "");
  }
  const ProgramResult version = run_here({"--version"}, ".");
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.out, ::testing::ContainsRegex("^unianimate [0-9]+\\.[0-9]+\\.[0-9]+\nlibtorch 2\\."));
  EXPECT_THAT(version.out, HasSubstr("FFmpeg "));
}

TEST(Program, RefusesToDoNothing) {
  expect_one_sentence(run_here({}, "."), kUsage, "see unianimate --help");
  expect_one_sentence(run_here({"dance"}, "."), kUsage, "see unianimate --help");
}

}  // namespace
}  // namespace unianimate
