// docs/files.md, row by row: what stands where the program wants to write, and what becomes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>

#include "cli/command.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ProgramResult;
using Words = std::vector<std::string>;

constexpr const char* kPrecious = "years of work";
constexpr int kUsage = 2;

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Reference and poses of a drawn person, and a training's settings, in every test's folder.
class WrittenFiles : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<testing::TemporaryFolder>();
    const ProgramResult drawn = testing::run_here(
        {"puppet", "--size", "64x96", "--frames", "3", "--output", "person", "--quiet"}, shared_->path());
    ASSERT_EQ(drawn.status, 0) << drawn.err;
    write(*shared_ / "sizes.json", R"({
      "autoencoder": {"ch": 8, "ch_mult": [1, 2, 2], "num_res_blocks": 1, "z_channels": 4, "norm_groups": 4,
                      "scale_factor": 1.0}})");
    write(*shared_ / "train.yaml", R"(
task: autoencoder
output: t
model: {sizes: sizes.json}
size: [32, 48]
steps: 2
batch_size: 2
data: {count: 4}
validation: {count: 2}
log_every: 1
validate_every: 1
sample_every: 1
save_every: 1
)");
    write(*shared_ / "infer.yaml", R"(
test_list_path: [[1, person/reference.png, person/poses]]
partial_keys: [[image, randomref, dwpose]]
resolution: [64, 96]
max_frames: 1
ddim_timesteps: 1
)");
  }
  static void TearDownTestSuite() { shared_.reset(); }

  WrittenFiles() { fs::copy(shared_->path(), folder_.path(), fs::copy_options::recursive); }

  [[nodiscard]] ProgramResult run(const Words& arguments) const { return testing::run_here(arguments, folder_.path()); }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      names.insert(fs::relative(entry.path(), folder_.path()).string());
    }
    return names;
  }

  static std::unique_ptr<testing::TemporaryFolder> shared_;
  testing::TemporaryFolder folder_;
};

std::unique_ptr<testing::TemporaryFolder> WrittenFiles::shared_;

const Words kSmall{"--size",  "64x96", "--steps",  "1", "--interval", "1",
                   "--dtype", "fp32",  "--frames", "1", "--device",   "cpu"};

Words animate(const Words& more) {
  return Words{"animate", "--reference", "person/reference.png"} + kSmall + more;
}

const Words kPoses{"--poses", "person/poses"};

// ---- names that the program chooses

struct Place {
  std::string chosen;   ///< where a command writes
  std::string instead;  ///< where it writes when something else is there
};

struct Writer {
  std::string name;
  Words command;
  std::vector<Place> places;
};

std::ostream& operator<<(std::ostream& out, const Writer& writer) {
  return out << writer.name;
}

std::vector<Writer> writers() {
  return {
      {"Animate",
       animate({"--poses", "person/poses.json", "--output", "o.mkv", "--preview-every", "1", "--keep-job"}),
       {{"o-preview.mp4", "o-preview-2.mp4"}, {"o-job", "o-job-2"}, {"o-poses", "o-poses-2"}}},
      {"Align",
       {"align", "--motion", "person/poses.json", "--detect-only", "--output", "d"},
       {{"d/poses.json", "d/poses-2.json"}}},
      {"Puppet",
       {"puppet", "--size", "64x96", "--frames", "1", "--output", "p"},
       {{"p/video.mp4", "p/video-2.mp4"},
        {"p/reference.png", "p/reference-2.png"},
        {"p/poses.json", "p/poses-2.json"},
        {"p/poses", "p/poses-2"}}},
      {"Train",
       {"train", "train.yaml", "--threads", "1", "--device", "cpu"},
       {{"t/log.jsonl", "t/log-2.jsonl"},
        {"t/loss.png", "t/loss-2.png"},
        {"t/samples/step-000001.png", "t/samples/step-000001-2.png"},
        {"t/model", "t/model-2"},
        {"t/best/model.json", "t/best-2/model.json"}}},
      {"Quality",
       {"evaluate", "model", "--people", "7-7", "--frames", "1", "--size", "64x96", "--steps", "1", "--device", "cpu",
        "--dtype", "fp32", "--videos", "--conditions", "reference", "--output", "q"},
       {{"q/quality.md", "q/quality-2.md"},
        {"q/quality.json", "q/quality-2.json"},
        {"q/contact_sheet.png", "q/contact_sheet-2.png"},
        {"q/person-7.mp4", "q/person-7-2.mp4"}}},
      {"LongVideos",
       {"evaluate", "long", "--people", "7-7", "--frames", "2", "--size", "64x96", "--steps", "1", "--device", "cpu",
        "--dtype", "fp32", "--strategies", "even", "--output", "l"},
       {{"l/long_videos.md", "l/long_videos-2.md"}, {"l/long_videos.json", "l/long_videos-2.json"}}},
      {"Run",
       {"run", "infer.yaml", "--device", "cpu", "--dtype", "fp32", "--models", UNIANIMATE_EMBEDDED_MODEL},
       {{"outputs/rank_01_00_00_seed_11_image_randomref_dwpose_reference_96x64.mp4",
         "outputs/rank_01_00_00_seed_11_image_randomref_dwpose_reference_96x64-2.mp4"}}},
  };
}

class ChosenNames : public WrittenFiles, public ::testing::WithParamInterface<Writer> {};

TEST_P(ChosenNames, LeaveWhatSomebodyElseWrote) {
  const Writer& writer = GetParam();
  for (const Place& place : writer.places) write(path(place.chosen), kPrecious);
  const ProgramResult result = run(writer.command);
  ASSERT_EQ(result.status, 0) << result.err;
  for (const Place& place : writer.places) {
    EXPECT_EQ(testing::file_content(path(place.chosen)), kPrecious) << place.chosen;
    EXPECT_TRUE(fs::exists(path(place.instead))) << place.instead;
    EXPECT_THAT(result.err, HasSubstr(place.instead.substr(0, place.instead.find("/model.json"))));
  }
}

TEST_P(ChosenNames, AreUsedAgainForWhatTheProgramWrote) {
  const Writer& writer = GetParam();
  ASSERT_EQ(run(writer.command).status, 0);
  for (const Place& place : writer.places) EXPECT_TRUE(fs::exists(path(place.chosen))) << place.chosen;
  const std::set<std::string> before = files();
  const ProgramResult again = run(writer.command);
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(files(), before);
}

INSTANTIATE_TEST_SUITE_P(Commands, ChosenNames, ::testing::ValuesIn(writers()),
                         [](const auto& test) { return test.param.name; });

/// A video is no preview, although this program made both.
TEST_F(WrittenFiles, APreviewReplacesNoVideo) {
  ASSERT_EQ(run(animate(kPoses + Words{"--output", "o-preview.mp4"})).status, 0);
  const std::string video = testing::file_content(path("o-preview.mp4"));
  ASSERT_EQ(run(animate(kPoses + Words{"--output", "o.mkv", "--preview-every", "1"})).status, 0);
  EXPECT_EQ(testing::file_content(path("o-preview.mp4")), video);
  EXPECT_TRUE(fs::exists(path("o-preview-2.mp4")));
}

// ---- outputs that are inputs

struct Refused {
  std::string name;
  Words command;
  std::string input;  ///< a file that has to stay
};

std::ostream& operator<<(std::ostream& out, const Refused& refused) {
  return out << refused.name;
}

class OutputsThatAreInputs : public WrittenFiles, public ::testing::WithParamInterface<Refused> {};

TEST_P(OutputsThatAreInputs, AreRefusedBeforeTheWork) {
  fs::create_symlink("person/video.mp4", path("link.mp4"));
  fs::create_hard_link(path("person/video.mp4"), path("same.mp4"));
  fs::create_directories(path("t"));
  fs::copy(path("person/video.mp4"), path("dance.mp4"));
  const std::string before = testing::file_content(path(GetParam().input));
  ASSERT_NE(before, "");
  const std::set<std::string> files_before = files();
  const ProgramResult result = run(GetParam().command);
  EXPECT_EQ(result.status, kUsage) << result.err;
  EXPECT_THAT(result.err, HasSubstr("input"));
  EXPECT_EQ(testing::file_content(path(GetParam().input)), before);
  EXPECT_EQ(files(), files_before);
}

INSTANTIATE_TEST_SUITE_P(
    Commands, OutputsThatAreInputs,
    ::testing::Values(
        Refused{"Motion", animate({"--motion", "dance.mp4", "--output", "dance.mp4"}), "dance.mp4"},
        Refused{"MotionOtherwiseSpelled", animate({"--motion", "dance.mp4", "--output", "person/../dance.mp4"}),
                "dance.mp4"},
        Refused{"MotionThroughALink", animate({"--motion", "person/video.mp4", "--output", "link.mp4"}),
                "person/video.mp4"},
        Refused{"MotionUnderAnotherName", animate({"--motion", "person/video.mp4", "--output", "same.mp4"}),
                "person/video.mp4"},
        Refused{"PicturesAmongPoses", animate(kPoses + Words{"--output", "person/poses/"}), "person/poses/0000.jpg"},
        Refused{"PicturesBesideTheReference", animate(kPoses + Words{"--output", "person/"}), "person/reference.png"},
        Refused{"JobInThePoses", animate(kPoses + Words{"--output", "o.mkv", "--job", "person/poses"}),
                "person/poses/0000.jpg"},
        Refused{"PosesOverTheMotion",
                animate({"--motion", "person/poses", "--save-poses", "person/poses/", "--output", "o.mkv"}),
                "person/poses/0000.jpg"},
        Refused{
            "AlignedOverTheMotion",
            {"align", "--reference", "person/reference.png", "--motion", "person/poses", "--output", "person/poses"},
            "person/poses/0000.jpg"},
        Refused{"FoundOverTheMotion",
                {"align", "--motion", "person/poses.json", "--detect-only", "--output", "person"},
                "person/poses.json"},
        Refused{"ComfyuiOverTheMotion",
                {"align", "--motion", "person/poses.json", "--detect-only", "--output", "d", "--export-comfyui",
                 "person/poses.json"},
                "person/poses.json"},
        Refused{"OpenposeOverTheMotion",
                {"align", "--motion", "person/poses", "--detect-only", "--output", "d", "--export-openpose",
                 "person/poses"},
                "person/poses/0000.jpg"},
        Refused{"PuppetOverItsPoses",
                {"puppet", "--poses", "person/poses.json", "--output", "person"},
                "person/poses.json"}),
    [](const auto& test) { return test.param.name; });

TEST_F(WrittenFiles, ATraceHasANameOfItsOwn) {
  fs::create_directories(path("real"));
  fs::create_directory_symlink("real", path("linked"));
  const std::set<std::string> before = files();
  const Words motion{"--motion", "person/poses.json", "--output", "real/o.mkv"};
  const Words align{"align", "--motion", "person/poses.json", "--detect-only", "--output", "d"};
  for (const Words& command : {animate(kPoses + Words{"--output", "o.mkv", "--profile", "o.mkv"}),
                               animate(kPoses + Words{"--output", "o.mkv", "--profile", "./person/../o.mkv"}),
                               animate(motion + Words{"--profile", "linked/o.mkv"}),
                               animate(motion + Words{"--save-poses", "p/", "--profile", "p"}),
                               animate(motion + Words{"--job", "j", "--profile", "j"}),
                               align + Words{"--export-comfyui", "c.json", "--profile", "c.json"}}) {
    const ProgramResult result = run(command);
    EXPECT_EQ(result.status, kUsage) << result.err;
    EXPECT_THAT(result.err, HasSubstr("give the trace another name"));
    EXPECT_EQ(files(), before);
  }
}

TEST_F(WrittenFiles, AConvertedCheckpointIsNoInput) {
  ASSERT_EQ(run({"train", "train.yaml", "--threads", "1", "--device", "cpu"}).status, 0);
  const std::string model = "t/state.safetensors";
  const std::string before = testing::file_content(path(model));
  fs::create_hard_link(path(model), path("again.safetensors"));
  for (const std::string output : {"t/state.safetensors", "./t/../t/state.safetensors", "again.safetensors"}) {
    const ProgramResult result = run({"models", "convert", "--dtype", "bf16", model, output});
    EXPECT_EQ(result.status, kUsage);
    EXPECT_THAT(result.err, HasSubstr("the original would be gone"));
  }
  EXPECT_EQ(testing::file_content(path(model)), before);
}

TEST_F(WrittenFiles, ATrainingReplacesNotWhatItStartsFrom) {
  const Words command{"train", "train.yaml", "--threads", "1", "--device", "cpu"};
  ASSERT_EQ(run(command).status, 0);
  const std::string before = testing::file_content(path("t/model/v2-1_512-ema-pruned.safetensors"));
  ASSERT_NE(before, "");
  std::string yaml = testing::file_content(path("train.yaml"));
  yaml.replace(yaml.find("{sizes: sizes.json}"), 19, "{start: t/best/../model}");
  write(path("train.yaml"), yaml);
  const ProgramResult result = run(command);
  EXPECT_EQ(result.status, kUsage) << result.err;
  EXPECT_THAT(result.err, HasSubstr("is the input"));
  EXPECT_EQ(testing::file_content(path("t/model/v2-1_512-ema-pruned.safetensors")), before);
}

TEST_F(WrittenFiles, AResumedJobReplacesNoInput) {
  ASSERT_EQ(run(animate(kPoses + Words{"--output", "o.mkv", "--keep-job", "--job", "j"})).status, 0);
  const std::string before = testing::file_content(path("person/reference.png"));
  fs::remove(path("o.mkv"));
  fs::create_hard_link(path("person/reference.png"), path("o.mkv"));
  const ProgramResult result = run({"resume", "j"});
  EXPECT_EQ(result.status, kUsage) << result.err;
  EXPECT_EQ(testing::file_content(path("person/reference.png")), before);
  EXPECT_EQ(testing::file_content(path("o.mkv")), before);
}

// ---- job folders

TEST_F(WrittenFiles, AFolderOfTheUserIsNoJob) {
  const std::set<std::string> own{"takes/segment-1.mp4", "takes/segment-0-part-0.mkv", "takes/segment-intro.wav"};
  for (const std::string& name : own) write(path(name), kPrecious);
  EXPECT_EQ(run(animate(kPoses + Words{"--output", "o.mkv", "--job", "takes"})).status, kUsage);
  EXPECT_EQ(run({"job", "delete", "takes"}).status, 3);
  for (const std::string& name : own) EXPECT_EQ(testing::file_content(path(name)), kPrecious) << name;
}

TEST_F(WrittenFiles, AJobLeavesFilesOfOthersInItsFolder) {
  ASSERT_EQ(run(animate(kPoses + Words{"--output", "o.mkv", "--keep-job", "--job", "j"})).status, 0);
  const std::set<std::string> own{"segment-7-part-3.mkv", "segment-mine.mkv", "take.partial.mp4"};
  for (const std::string& name : own) write(path("j/" + name), kPrecious);
  ASSERT_EQ(run({"resume", "j"}).status, 0);
  for (const std::string& name : own) EXPECT_EQ(testing::file_content(path("j/" + name)), kPrecious) << name;
  EXPECT_EQ(run({"job", "delete", "j"}).status, 3);
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(path("j"))) left.insert(entry.path().filename().string());
  EXPECT_EQ(left, own);
}

// ---- what a kill leaves

TEST_F(WrittenFiles, TheNextVideoRemovesWhatADeadProcessLeft) {
  write(path(".o.4194304.partial.mkv"), "half a video");
  write(path(".o-preview.4194304-3.partial.mp4"), "half a preview");
  write(path(".other.4194304.partial.mkv"), "half of another video");
  write(path("f/.frames.4194304.partial/0000.png"), "half of the pictures");
  ASSERT_EQ(run(animate(kPoses + Words{"--output", "o.mkv", "--preview-every", "1"})).status, 0);
  EXPECT_FALSE(fs::exists(path(".o.4194304.partial.mkv")));
  EXPECT_FALSE(fs::exists(path(".o-preview.4194304-3.partial.mp4")));
  EXPECT_TRUE(fs::exists(path(".other.4194304.partial.mkv")));
  ASSERT_EQ(run(animate(kPoses + Words{"--output", "f/"})).status, 0);
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(path("f"))) left.insert(entry.path().filename().string());
  EXPECT_EQ(left, std::set<std::string>{"0000.png"});
}

// ---- long names

TEST_F(WrittenFiles, NamesMayBeAsLongAsTheFileSystemAllows) {
  const std::string longest = std::string(251, 'n') + ".mkv";
  const ProgramResult result =
      run(animate({"--poses", "person/poses.json", "--output", longest, "--preview-every", "1", "--keep-job"}));
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(fs::exists(path(longest)));
  const ProgramResult longer = run(animate(kPoses + Words{"--output", "n" + longest}));
  EXPECT_EQ(longer.status, kUsage);
  EXPECT_THAT(longer.err, HasSubstr("256 bytes"));
}

}  // namespace
}  // namespace unianimate
