// unianimate align, evaluate poses and animate --motion as a user runs them, with the embedded networks on a drawn
// figure that they take for a person.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/format/pose_json.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using testing::ProgramResult;

constexpr int kUsage = 2;
constexpr int kInput = 3;

class Align : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<testing::TemporaryFolder>();
    const ProgramResult drawn = testing::run_here(
        {"puppet", "--seed", "7", "--size", "512x768", "--frames", "1", "--output", "."}, shared_->path());
    ASSERT_EQ(drawn.status, 0) << drawn.err;
  }
  static void TearDownTestSuite() { shared_.reset(); }

  Align() {
    fs::copy(*shared_ / "reference.png", folder_ / "person.png");
    fs::create_directories(folder_ / "motion");
    for (int i = 0; i < kFrames; ++i) {
      fs::copy(*shared_ / "reference.png", folder_ / ("motion/" + std::to_string(i) + ".png"));
    }
  }

  [[nodiscard]] ProgramResult run(const std::vector<std::string>& arguments) const {
    return testing::run_here(arguments, folder_.path());
  }

  /// The last JSON event.
  static json last_event(const ProgramResult& result) {
    EXPECT_EQ(result.status, 0) << result.err;
    const std::string lines = result.out.substr(0, result.out.find_last_not_of('\n') + 1);
    return json::parse(lines.substr(lines.find_last_of('\n') + 1));
  }

  static constexpr int kFrames = 4;
  static std::unique_ptr<testing::TemporaryFolder> shared_;
  testing::TemporaryFolder folder_;
};

std::unique_ptr<testing::TemporaryFolder> Align::shared_;

TEST_F(Align, MakesAFolderOfPosesAndAReport) {
  const json event =
      last_event(run({"align", "--reference", "person.png", "--motion", "motion", "--output", "made/poses", "--json"}));
  EXPECT_EQ(event["event"], "poses");
  EXPECT_EQ(event["frames"], kFrames);
  EXPECT_EQ(event["frames_found"], kFrames);
  EXPECT_EQ(event["detector"], "blazepose");
  int pictures = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "made/poses")) {
    const Image picture = read_image(entry.path());
    EXPECT_EQ(picture.width, 512);
    EXPECT_EQ(picture.height, 768);
    ++pictures;
  }
  EXPECT_EQ(pictures, kFrames + 1) << "the published program takes every file for a pose";
  EXPECT_TRUE(fs::exists(folder_ / "made/poses/ref_pose.jpg"));
  EXPECT_TRUE(fs::exists(folder_ / "made/poses-report/contact_sheet.png"));
  EXPECT_TRUE(fs::exists(folder_ / "made/poses-report/bones.png"));
  EXPECT_EQ(open_frame_source(folder_ / "made/poses-report/preview.mp4")->info().frame_count, kFrames);
}

// The driver is the reference itself, so nothing is to be changed.
TEST_F(Align, LeavesSomebodyWhoAlreadyFits) {
  for (const std::string method : {"published", "robust"}) {
    ASSERT_EQ(run({"align", "--reference", "person.png", "--motion", "motion", "--output", method, "--alignment",
                   method, "--no-preview"})
                  .status,
              0);
    const auto poses = std::get<pose::AlignedPoses>(pose::read_poses(folder_ / (method + "-report/poses.json")));
    const pose::Keypoints& made = poses.motion.frames.front().people.front().keypoints;
    for (std::size_t i = 0; i < pose::kBodyPoints; ++i) {
      if (!poses.reference[i].seen()) continue;
      EXPECT_LT(pose::distance(made[i].at, poses.reference[i].at), 1) << method << ", point " << i;
    }
  }
}

TEST_F(Align, FindsPeopleInAVideoOnlyOnce) {
  const std::vector<std::string> command{"align",  "--reference", "person.png", "--motion",
                                         "motion", "--output",    "poses",      "--json"};
  EXPECT_FALSE(last_event(run(command))["from_cache"]);
  EXPECT_TRUE(last_event(run(command))["from_cache"]);
  fs::remove(folder_ / "motion/0.png");
  EXPECT_FALSE(last_event(run(command))["from_cache"]) << "another motion";
}

TEST_F(Align, TakesThePublishedArguments) {
  const ProgramResult result = run({"align", "--ref_name", "person.png", "--source_video_paths", "motion",
                                    "--saved_pose_dir", "poses", "--alignment", "published", "--quiet"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "poses\n");
}

TEST_F(Align, ExportsAndTakesThemBack) {
  const ProgramResult exported =
      run({"align", "--motion", "motion", "--output", "found", "--detect-only", "--no-preview", "--export-openpose",
           "openpose", "--export-comfyui", "comfyui.json", "--quiet"});
  ASSERT_EQ(exported.status, 0) << exported.err;
  for (const std::string poses : {"openpose", "comfyui.json", "found/poses.json"}) {
    const ProgramResult result =
        run({"align", "--reference", "person.png", "--motion", poses, "--output", "again", "--no-preview", "--quiet"});
    EXPECT_EQ(result.status, 0) << poses << ": " << result.err;
    const ProgramResult compared = run({"evaluate", "poses", poses, "found/poses.json", "--json"});
    ASSERT_EQ(compared.status, 0) << compared.err;
    EXPECT_EQ(json::parse(compared.out)["all"]["within_2_percent"], 1.0) << poses;
  }
}

TEST_F(Align, ResamplesInTime) {
  const json event = last_event(run({"align", "--reference", "person.png", "--motion", "motion", "--output", "poses",
                                     "--motion-fps", "8", "--speed", "0.5", "--fps", "8", "--no-preview", "--json"}));
  EXPECT_EQ(event["frames"], 2 * (kFrames - 1) + 1);
  EXPECT_EQ(event["frames_per_second"], 8);
}

TEST_F(Align, SlowMotionAtTheMotionsOwnFramesLastsLonger) {
  const json event = last_event(run({"align", "--reference", "person.png", "--motion", "motion", "--output", "poses",
                                     "--motion-fps", "16", "--speed", "0.5", "--fps", "8", "--json"}));
  EXPECT_EQ(event["frames"], kFrames);
  EXPECT_EQ(event["frames_per_second"], 8);
  EXPECT_EQ(open_frame_source(folder_ / "poses-report/preview.mp4")->info().frames_per_second, 8);
}

TEST_F(Align, AFolderOfPicturesMayHoldOtherFiles) {
  std::ofstream(folder_ / "motion/info.json") << "{}";
  const ProgramResult result =
      run({"align", "--reference", "person.png", "--motion", "motion", "--output", "poses", "--quiet"});
  EXPECT_EQ(result.status, 0) << result.err;
}

// Too few poses for 32 frames at an interval of two: each pose becomes a frame, and time is to stay what it was.
TEST_F(Align, AShortMotionIsAnimatedAtItsOwnSpeed) {
  fs::create_directories(folder_ / "models");
  testing::write_rule_models(folder_ / "models", testing::tiny_model_configs());
  const ProgramResult made =
      run({"animate", "--reference", "person.png", "--motion", "motion", "--output", "out.mp4", "--no-preview",
           "--models", "models", "--size", "64x128", "--steps", "1", "--device", "cpu", "--json"});
  ASSERT_EQ(made.status, 0) << made.err;
  const json event = last_event(made);
  EXPECT_EQ(event.at("phases")[0].at("name"), "take poses");
  EXPECT_GT(event.at("seconds"), event.at("phases")[0].at("seconds")) << "the time in all holds that for the poses";
  const auto video = open_frame_source(folder_ / "out.mp4");
  EXPECT_EQ(video->info().frame_count, kFrames);
  EXPECT_EQ(video->info().frames_per_second, 16);
}

TEST_F(Align, AnimatesFromAMotionInOneGo) {
  fs::create_directories(folder_ / "models");
  testing::write_rule_models(folder_ / "models", testing::tiny_model_configs());
  const std::vector<std::string> rest{"--models", "models", "--size",   "64x128", "--steps", "1",
                                      "--frames", "all",    "--device", "cpu",    "--quiet"};
  std::vector<std::string> command{"animate", "--reference", "person.png", "--motion",
                                   "motion",  "--output",    "one.mp4",    "--no-preview"};
  command.insert(command.end(), rest.begin(), rest.end());
  const ProgramResult made = run(command);
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(open_frame_source(folder_ / "one.mp4")->info().frames_per_second, 8) << "every second pose of 16 a second";
  EXPECT_TRUE(fs::exists(folder_ / "one-poses/ref_pose.jpg"));

  command = {"animate", "--reference", "person.png", "--poses", "one-poses-report/poses.json", "--output", "two.mp4"};
  command.insert(command.end(), rest.begin(), rest.end());
  const ProgramResult again = run(command);
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(read_image(folder_ / "two-poses/0001.jpg"), read_image(folder_ / "one-poses/0001.jpg"));
}

struct BadMotion {
  std::string name;
  std::vector<std::string> options;
  int status;
  std::string sentence;
};

class BadAlign : public Align, public ::testing::WithParamInterface<BadMotion> {};

TEST_P(BadAlign, SaysWhatIsWrong) {
  std::ofstream(folder_ / "text.mp4") << "no video";
  const std::ofstream empty(folder_ / "empty.mp4");
  std::ofstream(folder_ / "broken.json") << R"({"format": "unianimate-poses", "version": 1)";
  write_png(folder_ / "nobody.png", Image(64, 64));
  fs::create_directories(folder_ / "mine");
  std::ofstream(folder_ / "mine/notes.txt") << "keep";
  std::vector<std::string> arguments{"align"};
  const auto add_default = [&](const std::string& name, const std::string& value) {
    if (std::ranges::count(GetParam().options, name) == 0) arguments.insert(arguments.end(), {name, value});
  };
  add_default("--reference", "person.png");
  add_default("--motion", "motion");
  add_default("--output", "poses");
  arguments.insert(arguments.end(), GetParam().options.begin(), GetParam().options.end());
  arguments.emplace_back("--quiet");
  const ProgramResult result = run(arguments);
  EXPECT_EQ(result.status, GetParam().status) << result.err;
  EXPECT_THAT(result.err, HasSubstr(GetParam().sentence));
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_FALSE(fs::exists(folder_ / "poses"));
  EXPECT_TRUE(fs::exists(folder_ / "mine/notes.txt"));
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, BadAlign,
    ::testing::Values(
        BadMotion{"text", {"--motion", "text.mp4"}, kInput, "the video text.mp4 cannot be read"},
        BadMotion{"empty", {"--motion", "empty.mp4"}, kInput, "it is empty"},
        BadMotion{"no_motion", {"--motion", "nowhere.mp4"}, kInput, "nowhere.mp4 does not exist"},
        BadMotion{"broken_json", {"--motion", "broken.json"}, kInput, "broken.json"},
        BadMotion{"nobody_in_motion", {"--motion", "nobody.png"}, kInput, "nobody was found in any of"},
        BadMotion{"nobody_in_reference", {"--reference", "nobody.png"}, kInput, "no person was found in the reference"},
        BadMotion{"no_reference", {"--reference", "nowhere.png"}, kInput, "nowhere.png"},
        BadMotion{"no_such_person", {"--person", "7"}, kInput, "there is no person 7 in the video"},
        BadMotion{"person", {"--person", "somebody"}, kUsage, "the person is main, largest"},
        BadMotion{"detector", {"--detector", "magic"}, kUsage, "--detector must be auto, dwpose or blazepose"},
        BadMotion{"no_dwpose", {"--detector", "dwpose"}, kInput, "yolox_l.onnx"},
        BadMotion{"alignment", {"--alignment", "loose"}, kUsage, "robust or published"},
        BadMotion{"strength", {"--alignment-strength", "2"}, kUsage, "between 0 and 1"},
        BadMotion{"end", {"--start", "2", "--end", "1"}, kUsage, "end after that"},
        BadMotion{"fps", {"--fps", "nan"}, kUsage, "--fps expects"},
        BadMotion{"others_folder", {"--output", "mine"}, kUsage, "mine holds notes.txt"}),
    [](const auto& input) { return input.param.name; });

}  // namespace
}  // namespace unianimate
