// The commands with small models: what they write, say and leave behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/command.h"
#include "cli/program.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/family/lora_fields.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using testing::ProgramResult;

class Commands : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<testing::TemporaryFolder>();
    testing::write_rule_models(shared_->path(), testing::tiny_model_configs());
  }
  static void TearDownTestSuite() { shared_.reset(); }

  Commands() {
    fs::create_directories(folder_ / "poses");
    write_png(folder_ / "person.a.png", Image(20, 30));
    write_png(folder_ / "poses/ref_pose.jpg", Image(8, 8));
    for (int i = 0; i < 4; ++i) write_png(folder_ / ("poses/" + std::to_string(i) + ".png"), Image(8, 8));
    std::ofstream(folder_ / "infer.yaml") << R"(
test_list_path: [[1, person.a.png, poses]]
partial_keys: [[image, randomref, dwpose], [image, local_image, dwpose]]
resolution: [64, 128]
max_frames: 3
ddim_timesteps: 2
UNet: {dim: 16}
)";
  }

  [[nodiscard]] ProgramResult run(std::vector<std::string> arguments, const std::string& interrupt_after = "") const {
    if (arguments[0] != "models" && arguments[0] != "puppet") arguments.insert(arguments.end(), {"--device", "cpu"});
    const bool here = interrupt_after.empty() && std::ranges::count(arguments, "--processes") == 0;
    if (here) return testing::run_here(arguments, folder_.path(), shared_->path());
    return testing::run_program(arguments,
                                {folder_.path(), {{"UNIANIMATE_MODELS", shared_->path().string()}}, interrupt_after});
  }

  [[nodiscard]] ProgramResult animate(const std::vector<std::string>& options,
                                      const std::string& interrupt_after = "") const {
    std::vector<std::string> arguments{"animate", "--reference", "person.a.png", "--poses", "poses",
                                       "--size",  "64x128",      "--frames",     "3",       "--interval",
                                       "1"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run(arguments, interrupt_after);
  }

  /// Of so small a video, started in another way than usual.
  [[nodiscard]] ProgramResult run_with(const std::vector<std::string>& options, testing::ProgramOptions start) const {
    start.folder = folder_.path();
    start.environment = {{"UNIANIMATE_MODELS", shared_->path().string()}};
    std::vector<std::string> arguments{"animate", "--reference", "person.a.png", "--poses", "poses",
                                       "--size",  "64x128",      "--frames",     "3",       "--interval",
                                       "1",       "--device",    "cpu"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return testing::run_program(arguments, start);
  }

  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_directory()) names.insert(fs::relative(entry.path(), folder_.path()).string());
    }
    return names;
  }

  static std::unique_ptr<testing::TemporaryFolder> shared_;
  testing::TemporaryFolder folder_;
};

std::unique_ptr<testing::TemporaryFolder> Commands::shared_;

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST_F(Commands, AnimateWritesTheVideoAndSumsUp) {
  const ProgramResult result = animate({"--steps", "2", "--output", "out.mp4", "--fps", "12"});
  ASSERT_EQ(result.status, 0) << result.err;
  const FrameSourceInfo video = open_frame_source(folder_ / "out.mp4")->info();
  EXPECT_EQ(video.width, 64);
  EXPECT_EQ(video.height, 128);
  EXPECT_EQ(video.frame_count, 3);
  EXPECT_DOUBLE_EQ(video.frames_per_second, 12);
  for (const char* text : {"sample", "decode", "peak memory", "out.mp4: 3 frames of 64x128"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
  EXPECT_THAT(result.err, HasSubstr("sample: 0 of 4"));
  EXPECT_EQ(result.err.find('\r'), std::string::npos) << "lines are redrawn on terminals only";
}

TEST_F(Commands, AnimateTellsProgramsEachEventOnALine) {
  const ProgramResult result = animate({"--steps", "2", "--output", "out.mp4", "--json", "--comparison"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  std::set<std::string> events;
  std::vector<json> lines = json_lines(result.out);
  for (const json& line : lines) events.insert(line.at("event").get<std::string>());
  EXPECT_THAT(events, ::testing::IsSupersetOf({"video", "phase", "step", "result"}));
  EXPECT_EQ(lines.back().at("event"), "result");
  EXPECT_EQ(lines.back().at("frames"), 3);
  EXPECT_EQ(lines.back().at("width"), 3 * 64);
  EXPECT_EQ(lines.back().at("output"), "out.mp4");
}

TEST_F(Commands, QuietSaysThePathOnly) {
  const ProgramResult result = animate({"--steps", "2", "--output", "out.mp4", "--quiet"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, "out.mp4\n");
  EXPECT_EQ(result.err, "");
}

TEST_F(Commands, PuppetsPerformPosesOfFiles) {
  const ProgramResult first = run({"puppet", "--seed", "3", "--frames", "5", "--size", "64x96", "--output", "first"});
  ASSERT_EQ(first.status, 0) << first.err;
  const ProgramResult again = run({"puppet", "--seed", "4", "--poses", "first/poses.json", "--bones", "person",
                                   "--size", "96x64", "--output", "again"});
  ASSERT_EQ(again.status, 0) << again.err;
  const FrameSourceInfo video = open_frame_source(folder_ / "again/video.mp4")->info();
  EXPECT_EQ(video.frame_count, 5);
  EXPECT_EQ(video.width, 96);
  EXPECT_DOUBLE_EQ(video.frames_per_second, 16);
  EXPECT_TRUE(files().contains("again/poses/ref_pose.jpg"));

  const ProgramResult foreign = run({"puppet", "--poses", "infer.yaml", "--output", "other"});
  EXPECT_EQ(foreign.status, 3);
  EXPECT_THAT(foreign.err, HasSubstr("infer.yaml"));
  EXPECT_EQ(run({"puppet", "--poses", "a.json", "--motion", "walk", "--output", "other"}).status, 2);
  EXPECT_EQ(run({"puppet", "--poses", "first/poses.json", "--bones", "mine", "--output", "other"}).status, 2);
  EXPECT_FALSE(fs::exists(folder_ / "other"));
}

TEST_F(Commands, LorasAreCheckedBeforeTheWorkAndNamed) {
  const std::string name = "middle_block.1.proj_in";
  const NamedTensors lora{{name + ".lora_down.weight", at::ones({2, 32})},
                          {name + ".lora_up.weight", at::ones({32, 2})}};
  checkpoint::save_safetensors(folder_ / "style.safetensors", lora);
  const ProgramResult good = animate({"--lora", "style.safetensors:0.5", "--dry-run", "--output", "out.mp4"});
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_THAT(good.out + good.err, HasSubstr("style.safetensors corrects 1 weights with rank 2 at scale 0.5"));

  const ProgramResult missing =
      animate({"--lora", "style.safetensors", "--lora", "other.safetensors:2", "--output", "out.mp4"});
  EXPECT_EQ(missing.status, 3);
  EXPECT_THAT(missing.err, HasSubstr("other.safetensors"));
  EXPECT_FALSE(files().contains("out.mp4"));
}

TEST(ParseLora, TakesAScaleBehindTheLastColon) {
  const auto parsed = [](std::string_view text) {
    const family::LoraFile lora = family::parse_lora(text);
    return std::pair(lora.path.string(), lora.scale);
  };
  EXPECT_EQ(parsed("a.safetensors"), std::pair(std::string("a.safetensors"), 1.0));
  EXPECT_EQ(parsed("a.safetensors:0.5"), std::pair(std::string("a.safetensors"), 0.5));
  EXPECT_EQ(parsed("a.safetensors:-1e-2"), std::pair(std::string("a.safetensors"), -0.01));
  EXPECT_EQ(parsed("b:2/a.safetensors:0"), std::pair(std::string("b:2/a.safetensors"), 0.0));
  EXPECT_EQ(parsed("c:a.safetensors"), std::pair(std::string("c:a.safetensors"), 1.0));
  EXPECT_EQ(parsed("a:"), std::pair(std::string("a:"), 1.0));
}

TEST_F(Commands, ADryRunWritesNothingAndSaysWhatWouldRun) {
  const std::set<std::string> before = files();
  const ProgramResult result = animate({"--output", "out.mp4", "--dry-run"});
  ASSERT_EQ(result.status, 0) << result.err;
  for (const char* text :
       {"3 frames at an interval of 1", "31 with 1 window", "memory      about", "time        about"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
  const ProgramResult for_programs = run({"run", "infer.yaml", "--dry-run", "--json"});
  ASSERT_EQ(for_programs.status, 0) << for_programs.err;
  const std::vector<json> lines = json_lines(for_programs.out);
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("event"), "plan");
  EXPECT_EQ(lines[0].at("width"), 3 * 64);
  EXPECT_EQ(files(), before);
}

TEST_F(Commands, InterruptedWorkLeavesNothingAndSaysWhereItStood) {
  const std::set<std::string> before = files();
  const ProgramResult result = animate({"--steps", "900", "--output", "out.mp4", "--save-every", "0"}, "sample: 0 of");
  EXPECT_EQ(result.status, 130);
  EXPECT_THAT(result.err, ::testing::ContainsRegex("stopped on request in the phase 'sample' after [0-9]+ of 2000"));
  EXPECT_EQ(files(), before);
}

TEST_F(Commands, AHangUpStopsTheWorkCleanly) {
  const std::set<std::string> before = files();
  const ProgramResult result = run_with({"--steps", "900", "--output", "out.mp4", "--save-every", "0"},
                                        {.interrupt_after = "sample: 0 of", .signal = SIGHUP});
  EXPECT_EQ(result.status, 130);
  EXPECT_THAT(result.err, HasSubstr("; nothing unfinished is at the place of the output\n"));
  EXPECT_EQ(files(), before);
}

TEST_F(Commands, LostProgressDoesNotEndTheWorkButALostResultIsTold) {
  const ProgramResult unread = run_with({"--steps", "1", "--output", "a.mkv", "--json"}, {.unread_output = true});
  EXPECT_EQ(unread.status, 4);
  EXPECT_THAT(unread.err, HasSubstr("the standard output could not be written there: Broken pipe"));
  EXPECT_TRUE(files().contains("a.mkv"));
  const ProgramResult full = run_with({"--steps", "1", "--output", "b.mkv", "--json"}, {.full_output = true});
  EXPECT_EQ(full.status, 4);
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));
  EXPECT_TRUE(files().contains("b.mkv"));
  const ProgramResult plan = run_with({"--output", "c.mkv", "--dry-run"}, {.full_output = true});
  EXPECT_EQ(plan.status, 4);
  EXPECT_THAT(plan.err, HasSubstr("No space left on device"));
}

TEST_F(Commands, LostMessagesDoNotEndTheWork) {
  const ProgramResult result = run_with({"--steps", "1", "--output", "a.mkv"}, {.full_messages = true});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("a.mkv: 3 frames"));
}

TEST_F(Commands, ListingsThatAreLostAreToldUnlessNobodyReadsOn) {
  std::filesystem::create_directory(folder_ / "checkpoints");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"models", "list"}, {"job", "list"}, {"--help"}, {"animate", "--help"}}) {
    testing::ProgramOptions options{.folder = folder_.path(), .full_output = true};
    const ProgramResult full = testing::run_program(arguments, options);
    EXPECT_EQ(full.status, 4) << arguments[0];
    EXPECT_THAT(full.err, HasSubstr("No space left on device"));
    options.full_output = false;
    options.unread_output = true;
    const ProgramResult unread = testing::run_program(arguments, options);
    EXPECT_EQ(unread.status, 4) << arguments[0];
    EXPECT_EQ(unread.err, "");
  }
}

TEST_F(Commands, ClosedDescriptorsDoNotBecomeFiles) {
  ASSERT_EQ(animate({"--steps", "1", "--output", "all_open.mkv"}).status, 0);
  const auto content = [&](const char* name) {
    std::ifstream file(folder_ / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  for (const std::vector<int>& closed : {std::vector<int>{0}, {1}, {2}, {0, 1, 2}}) {
    EXPECT_EQ(run_with({"--steps", "1", "--output", "closed.mkv"}, {.closed = closed}).status, 0);
    EXPECT_EQ(content("closed.mkv"), content("all_open.mkv"));
    fs::remove(folder_ / "closed.mkv");
  }
}

TEST_F(Commands, FilesBeyondTheLimitAreToldAndLeaveNothing) {
  const std::set<std::string> before = files();
  for (const char* output : {"out.mkv", "out.mp4", "out.webm", "out.gif", "out/"}) {
    const ProgramResult result =
        run_with({"--steps", "1", "--output", output, "--save-every", "0", "--quiet"}, {.largest_file = 1000});
    EXPECT_EQ(result.status, 4) << output;
    EXPECT_THAT(result.err, HasSubstr("File too large")) << output;
    EXPECT_EQ(files(), before) << output;
  }
}

TEST_F(Commands, QuietHoldsForProgramsToo) {
  const ProgramResult result = animate({"--steps", "1", "--output", "out.mp4", "--json", "--quiet"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, ::testing::Not(HasSubstr(R"("event":"note")")));
}

TEST_F(Commands, TooSmallABudgetIsRefusedBeforeTheWork) {
  const ProgramResult result = animate({"--output", "out.mp4", "--memory-budget", "100MB"});
  EXPECT_EQ(result.status, 4);
  EXPECT_THAT(result.err, HasSubstr("the budget is 100 MB"));
}

TEST_F(Commands, RunMakesEveryVideoOfTheConfiguration) {
  const std::string first = "rank_01_00_00_seed_11_image_randomref_dwpose_person_128x64.mp4";
  const std::string second = "rank_01_00_00_seed_11_image_local_image_dwpose_person_128x64.mp4";
  std::set<std::string> expected = files();
  expected.insert({"outputs/" + first, "outputs/" + second});
  const ProgramResult result = run({"run", "infer.yaml"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(files(), expected);
  EXPECT_EQ(open_frame_source(folder_ / ("outputs/" + first))->info().width, 3 * 64);
  EXPECT_DOUBLE_EQ(open_frame_source(folder_ / ("outputs/" + first))->info().frames_per_second, 8);

  fs::remove(folder_ / ("outputs/" + second));
  const auto kept = fs::last_write_time(folder_ / ("outputs/" + first));
  const ProgramResult again = run({"run", "infer.yaml", "--skip-existing", "--result-only"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(fs::last_write_time(folder_ / ("outputs/" + first)), kept);
  EXPECT_EQ(open_frame_source(folder_ / ("outputs/" + second))->info().width, 64);
}

TEST_F(Commands, RunMakesTheSameVideosWithSeveralProcesses) {
  ASSERT_EQ(run({"run", "infer.yaml", "--threads", "1", "--output-dir", "one"}).status, 0);
  const ProgramResult both = run({"run", "infer.yaml", "--threads", "1", "--output-dir", "two", "--processes", "2"});
  ASSERT_EQ(both.status, 0) << both.err;
  std::int64_t compared = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "one")) {
    const auto expected = open_frame_source(entry.path());
    const auto found = open_frame_source(folder_ / "two" / entry.path().filename());
    while (const auto frame = expected->next()) {
      const auto other = found->next();
      ASSERT_TRUE(other);
      EXPECT_EQ(other->image, frame->image);
      ++compared;
    }
    EXPECT_FALSE(found->next());
  }
  EXPECT_EQ(compared, 2 * 3);
  const auto told = [&](const std::string& text) {
    std::int64_t count = 0;
    for (std::size_t at = both.out.find(text); at != std::string::npos; at = both.out.find(text, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(told("3 frames of"), 2) << both.out;

  const ProgramResult again = run({"run", "infer.yaml", "--output-dir", "two", "--processes", "2", "--skip-existing"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, "");
}

TEST_F(Commands, OneFaultOfSeveralProcessesIsToldOnce) {
  const ProgramResult missing = run({"run", "missing.yaml", "--processes", "2"});
  EXPECT_EQ(missing.status, 3);
  EXPECT_EQ(std::count(missing.err.begin(), missing.err.end(), '\n'), 1) << missing.err;
  EXPECT_THAT(missing.err, HasSubstr("missing.yaml"));
  const ProgramResult plan = animate({"--output", "out.mp4", "--dry-run", "--json", "--processes", "2"});
  EXPECT_EQ(plan.status, 0) << plan.err;
  EXPECT_EQ(json_lines(plan.out).size(), 1U) << plan.out;
}

TEST_F(Commands, RunTriesThePlaceOfItsVideosBeforeTheWork) {
  for (const char* folder : {"/proc/x", "person.a.png"}) {
    const ProgramResult result = run({"run", "infer.yaml", "--output-dir", folder, "--dry-run"});
    EXPECT_EQ(result.status, 4);
    EXPECT_EQ(result.out, "");
  }
  EXPECT_EQ(run({"run", "infer.yaml", "--output-dir", "new/er", "--dry-run"}).status, 0);
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(Commands, LeadingZerosMakeNoOctalNumbers) {
  const ProgramResult result = animate({"--steps", "010", "--output", "out.mp4", "--dry-run"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("10 with 1 window"));
}

TEST_F(Commands, RunRefusesModelsOfOtherSizesThanTheConfiguration) {
  const ProgramResult result = run({"run", "infer.yaml", "--set", "UNet.dim=320"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("--set UNet.dim is 320, but the models' files say 16"));
}

TEST_F(Commands, ModelsAreListedInspectedAndConverted) {
  const ProgramResult list = run({"models", "list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_THAT(list.out, HasSubstr("dw-ll_ucoco_384.onnx"));
  EXPECT_THAT(list.out, HasSubstr(shared_->path().string()));

  const std::string clip = (shared_->path() / "open_clip_pytorch_model.bin").string();
  const ProgramResult inspection = run({"models", "inspect", clip});
  EXPECT_EQ(inspection.status, 0);
  for (const char* text : {"PyTorch zip", "model       CLIP", "and checksums agree", "--all shows them"}) {
    EXPECT_THAT(inspection.out, HasSubstr(text));
  }

  const ProgramResult conversion = run({"models", "convert", clip, "clip.safetensors", "--dtype", "bf16", "--quiet"});
  ASSERT_EQ(conversion.status, 0) << conversion.err;
  const json before = json::parse(run({"models", "inspect", clip, "--json"}).out);
  const json after = json::parse(run({"models", "inspect", "clip.safetensors", "--json"}).out);
  EXPECT_EQ(after.at("container"), "safetensors");
  EXPECT_EQ(after.at("parameters"), before.at("parameters"));
  EXPECT_EQ(after.at("bytes").get<int>() * 2, before.at("bytes").get<int>());
  EXPECT_EQ(after.at("tensors").size(), before.at("tensors").size());
}

TEST_F(Commands, InspectionTellsWhatIsDamaged) {
  fs::copy_file(shared_->path() / "open_clip_pytorch_model.bin", folder_ / "clip.bin");
  const auto middle = static_cast<std::streamoff>(fs::file_size(folder_ / "clip.bin") / 2);
  std::fstream file(folder_ / "clip.bin", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(middle);
  file.write("damaged", 7);
  file.close();
  const ProgramResult result = run({"models", "inspect", "clip.bin"});
  EXPECT_THAT(result.out, HasSubstr("problem     clip.bin"));
  EXPECT_EQ(result.status, 3);
  const ProgramResult for_programs = run({"models", "inspect", "clip.bin", "--json"});
  EXPECT_THAT(json::parse(for_programs.out).at("problem").get<std::string>(), HasSubstr("clip.bin"));
  EXPECT_EQ(for_programs.status, 3);
}

}  // namespace
}  // namespace unianimate
