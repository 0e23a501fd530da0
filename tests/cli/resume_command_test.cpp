// Long videos that are stopped, killed, cannot be written, or are made by several processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <random>

#include "cli/program.h"
#include "support/file_content.h"
#include "support/file_size_limit.h"
#include "support/rule.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ProgramResult;

std::vector<Image> read_video(const fs::path& file) {
  std::vector<Image> frames;
  const auto source = open_frame_source(file);
  while (const auto frame = source->next()) frames.push_back(frame->image);
  return frames;
}

/// Largest difference of any two values.
/// How many in a hundred values are equal.
double equal_percent(const std::vector<Image>& a, const std::vector<Image>& b) {
  double equal = 0;
  double all = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    for (std::size_t k = 0; k < a[i].pixels.size(); ++k) equal += a[i].pixels[k] == b[i].pixels.at(k) ? 1 : 0;
    all += static_cast<double>(a[i].pixels.size());
  }
  return 100 * equal / all;
}

int difference(const std::vector<Image>& a, const std::vector<Image>& b) {
  int largest = a.size() == b.size() ? 0 : 256;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    for (std::size_t k = 0; k < a[i].pixels.size(); ++k) {
      largest = std::max(largest, std::abs(int{a[i].pixels[k]} - int{b[i].pixels.at(k)}));
    }
  }
  return largest;
}

class Resume : public ::testing::Test {
 protected:
  static constexpr int kPoses = 40;

  static void SetUpTestSuite() {
    models_ = std::make_unique<testing::TemporaryFolder>();
    testing::write_rule_models(models_->path(), testing::tiny_model_configs());
  }
  static void TearDownTestSuite() { models_.reset(); }

  Resume() {
    const auto picture = [&](const std::string& name) {
      return family::image_from_tensor(testing::rule_picture(name, 64, 64));
    };
    fs::create_directories(folder_ / "poses");
    write_png(folder_ / "person.png", picture("person"));
    write_png(folder_ / "poses/ref_pose.png", picture("ref_pose"));
    for (int k = 0; k < kPoses; ++k) {
      write_png(folder_ / fmt::format("poses/{:03}.png", k), picture(fmt::format("pose{}", k)));
    }
  }

  [[nodiscard]] static std::vector<std::pair<std::string, std::string>> environment() {
    return {{"UNIANIMATE_MODELS", models_->path().string()}, {"OMP_NUM_THREADS", "1"}};
  }
  [[nodiscard]] ProgramResult run(const std::vector<std::string>& arguments,
                                  const std::string& interrupt_after = "") const {
    return testing::run_program(arguments, {folder_.path(), environment(), interrupt_after});
  }
  [[nodiscard]] static std::vector<std::string> animation(const std::string& output,
                                                          const std::vector<std::string>& more = {},
                                                          const std::string& frames = "all",
                                                          const std::string& steps = "6") {
    std::vector<std::string> arguments{
        "animate", "--reference",    "person.png", "--poses",           "poses", "--size",   "64x64", "--frames",
        frames,    "--interval",     "1",          "--steps",           steps,   "--device", "cpu",   "--dtype",
        "fp32",    "--context-size", "8",          "--context-overlap", "2",     "--output", output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  [[nodiscard]] std::vector<Image> video(const std::string& name) const { return read_video(folder_ / name); }

  /// Runs in the background and says nothing.
  [[nodiscard]] pid_t start(const std::vector<std::string>& arguments) const {
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (::chdir(folder_.path().c_str()) != 0) ::_exit(127);
    for (const auto& [name, value] : environment()) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> words{const_cast<char*>(UNIANIMATE_PROGRAM)};
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    (void)std::freopen("/dev/null", "w", stdout);
    (void)std::freopen("/dev/null", "w", stderr);
    ::execv(UNIANIMATE_PROGRAM, words.data());
    ::_exit(127);
  }

  /// Starts the program and kills it after so many milliseconds; whether it was over before.
  [[nodiscard]] bool finishes_before_the_kill(const std::vector<std::string>& arguments, int milliseconds) const {
    const pid_t child = start(arguments);
    int status = 0;
    for (int waited = 0; waited < milliseconds; waited += 10) {
      if (::waitpid(child, &status, WNOHANG) == child) {
        EXPECT_EQ(status, 0);
        return true;
      }
      ::usleep(10'000);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return false;
  }

  static std::unique_ptr<testing::TemporaryFolder> models_;
  testing::TemporaryFolder folder_;
};

std::unique_ptr<testing::TemporaryFolder> Resume::models_;

TEST_F(Resume, KilledTwentyTimesTheVideoIsTheSame) {
  const std::string steps = "18";  // enough work to be killed in
  ASSERT_EQ(run(animation("whole.mkv", {"--save-every", "0"}, "all", steps)).status, 0);
  const std::vector<std::string> animate = animation("killed.mkv", {"--job", "job"}, "all", steps);
  std::mt19937 random(7);
  int kills = 0;
  bool done = false;
  while (kills < 20 && !done) {
    const bool begun = fs::exists(folder_ / "job/job.json");
    const int milliseconds = std::uniform_int_distribution<int>(50, 1500)(random);
    done = finishes_before_the_kill(begun ? std::vector<std::string>{"resume", "job"} : animate, milliseconds);
    if (!done) ++kills;
  }
  RecordProperty("kills", kills);
  EXPECT_GE(kills, 3);
  if (!done) {
    const bool begun = fs::exists(folder_ / "job/job.json");
    const ProgramResult result = run(begun ? std::vector<std::string>{"resume", "job"} : animate);
    ASSERT_EQ(result.status, 0) << result.err;
  }
  EXPECT_EQ(video("killed.mkv"), video("whole.mkv"));
  EXPECT_FALSE(fs::exists(folder_ / "job"));
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    EXPECT_THAT(entry.path().filename().string(), ::testing::Not(HasSubstr("partial")));
  }
}

TEST_F(Resume, KilledAmidItsStepsEverySolverAndShortcutMakesTheSameVideo) {
  const std::vector<std::vector<std::string>> kinds{{"--sampler", "dpmpp-2m"},
                                                    {"--sampler", "dpmpp-2m-sde"},
                                                    {"--sampler", "unipc"},
                                                    {"--sampler", "tcd"},
                                                    {"--eta", "0.5"},
                                                    {"--extrapolate"},
                                                    {"--guidance-every", "2", "--reuse-every", "3"}};
  for (const std::vector<std::string>& named : kinds) {
    std::vector<std::string> kind = named;
    kind.insert(kind.end(), {"--timesteps", "trailing"});
    const auto with = [&](const std::string& output, const std::vector<std::string>& more) {
      std::vector<std::string> all = kind;
      all.insert(all.end(), more.begin(), more.end());
      return animation(output, all, "8", "40");
    };
    ASSERT_EQ(run(with("whole.mkv", {"--save-every", "0"})).status, 0);
    const pid_t program = start(with("video.mkv", {"--save-every", "1"}));
    while (!fs::exists(folder_ / "video-job/state.json") && ::kill(program, 0) == 0) ::usleep(1'000);
    ::kill(program, SIGKILL);
    int status = 0;
    ::waitpid(program, &status, 0);
    const std::string job = run({"job", "list"}).out;
    EXPECT_THAT(job, ::testing::ContainsRegex("step [0-9]+ of 40"));
    EXPECT_THAT(job, ::testing::Not(HasSubstr("step 40 of 40")));
    ASSERT_EQ(run({"resume", "video-job"}).status, 0);
    EXPECT_EQ(video("video.mkv"), video("whole.mkv")) << fmt::format("{}", fmt::join(kind, " "));
  }
}

TEST_F(Resume, AnInterruptedJobSaysHowToGoOnAndTheSameCommandDoes) {
  ASSERT_EQ(run(animation("whole.mkv", {"--save-every", "0"})).status, 0);
  const ProgramResult interrupted = run(animation("video.mkv"), "decode");
  EXPECT_EQ(interrupted.status, 130) << interrupted.err;
  EXPECT_THAT(interrupted.err, HasSubstr("unianimate resume video-job"));
  EXPECT_THAT(run({"job", "list"}).out, HasSubstr("video-job: "));
  EXPECT_THAT(run({"job", "show", "video-job"}).out, HasSubstr("weights published"));
  EXPECT_EQ(run(animation("video.mkv", {"--job", "video-job", "--dry-run"})).status, 0);
  const ProgramResult other = run(animation("video.mkv", {"--job", "video-job", "--dry-run"}, "all", "5"));
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("an unfinished job of other settings"));
  const ProgramResult again = run(animation("video.mkv"));
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("is gone on with"));
  EXPECT_EQ(video("video.mkv"), video("whole.mkv"));
}

TEST_F(Resume, InterpolatedFramesAreTheSameAfterAnInterruption) {
  ASSERT_EQ(run(animation("whole.mkv", {"--save-every", "0", "--interpolate", "2"})).status, 0);
  EXPECT_EQ(video("whole.mkv").size(), 2U * kPoses);
  ASSERT_EQ(run(animation("video.mkv", {"--interpolate", "2"}), "decode").status, 130);
  EXPECT_THAT(run({"job", "show", "video-job"}).out, HasSubstr("interpolated, 2 times as many frames, 16 a second"));
  const ProgramResult resumed = run({"resume", "video-job", "--json"});
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr(R"("interpolation":{"times":2,"frames":80,"frames_per_second":16.0})"));
  EXPECT_EQ(testing::file_content(folder_ / "video.mkv"), testing::file_content(folder_ / "whole.mkv"));
}

TEST_F(Resume, AFullDiskEndsTheJobWhichGoesOn) {
  const auto make = [&](const std::string& output, rlim_t largest_file) {
    const testing::FileSizeLimit limit(largest_file);
    return run(animation(output, {}, "12", "2"));
  };
  ASSERT_EQ(make("whole.mkv", RLIM_INFINITY).status, 0);
  constexpr rlim_t kEnoughForLatents = 25'000;
  const ProgramResult full = make("video.mkv", kEnoughForLatents);
  EXPECT_EQ(full.status, 4) << full.err;
  EXPECT_THAT(full.err, HasSubstr("unianimate resume video-job"));
  EXPECT_FALSE(fs::exists(folder_ / "video.mkv"));
  EXPECT_EQ(run({"resume", "video-job"}).status, 0);
  EXPECT_EQ(video("video.mkv"), video("whole.mkv"));

  constexpr rlim_t kTooLittleForLatents = 10'000;
  const ProgramResult fuller = make("other.mkv", kTooLittleForLatents);
  EXPECT_EQ(fuller.status, 4) << fuller.err;
  EXPECT_THAT(fuller.err, HasSubstr("step 2 could not be saved, and the work goes on"));
  EXPECT_FALSE(fs::exists(folder_ / "other-job")) << "nothing is in it";
}

TEST_F(Resume, ChangedInputsAreRefusedAndNamed) {
  ASSERT_EQ(run(animation("video.mkv"), "decode").status, 130);
  write_png(folder_ / "poses/007.png", Image(64, 64));
  const ProgramResult refused = run({"resume", "video-job"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("007.png has changed"));
  fs::remove(folder_ / "poses/007.png");
  EXPECT_THAT(run({"resume", "video-job"}).err, HasSubstr("007.png is gone"));
  EXPECT_EQ(run({"job", "delete", "video-job"}).status, 0);
  EXPECT_FALSE(fs::exists(folder_ / "video-job"));
  EXPECT_EQ(run({"resume", "video-job"}).status, 3);
  EXPECT_EQ(run({"resume", "poses"}).status, 3);
}

TEST_F(Resume, PosesThatWereAddedAreRefused) {
  ASSERT_EQ(run(animation("video.mkv", {"--keep-job"}, "12", "2"), "decode").status, 130);
  fs::copy_file(folder_ / "poses/003.png", folder_ / "poses/003a.png");
  const ProgramResult refused = run({"resume", "video-job"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("003a.png"));
  fs::remove(folder_ / "poses/003a.png");
  EXPECT_EQ(run({"resume", "video-job"}).status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "video-job")) << "it was begun with --keep-job";
}

TEST_F(Resume, NoOutputGoesIntoItsOwnJobFolder) {
  fs::create_directories(folder_ / "in");
  const ProgramResult refused = run(animation("in/video.mkv", {"--job", "in"}));
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("lies in the folder of its job"));
}

TEST_F(Resume, ASegmentCanBeMadeAgain) {
  const std::vector<std::string> chained =
      animation("video.mkv", {"--chain", "--segment-size", "12", "--segment-overlap", "2", "--keep-job"});
  ASSERT_EQ(run(chained).status, 0);
  const std::vector<Image> before = video("video.mkv");
  ASSERT_EQ(before.size(), static_cast<std::size_t>(kPoses));
  const ProgramResult redone = run({"resume", "video-job", "--redo", "3", "--seed", "77"});
  ASSERT_EQ(redone.status, 0) << redone.err;
  const std::vector<Image> after = video("video.mkv");
  // 38 new frames over four segments: they begin at frames 0, 9, 19 and 28.
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + 19, after.begin()));
  for (std::size_t frame = 19; frame < 30; ++frame) EXPECT_NE(before[frame], after[frame]) << frame;
  EXPECT_TRUE(std::equal(before.begin() + 30, before.end(), after.begin() + 30));
  EXPECT_EQ(run({"resume", "video-job", "--redo", "5"}).status, 2);
}

TEST_F(Resume, SeveralProcessesMakeTheSameVideo) {
  const auto compare = [&](const std::vector<std::string>& kind, const std::vector<std::string>& counts,
                           const std::string& steps = "2") {
    ASSERT_EQ(run(animation("one.mkv", kind, "20", steps)).status, 0);
    for (const std::string& count : counts) {
      std::vector<std::string> shared = kind;
      shared.insert(shared.end(), {"--processes", count});
      const ProgramResult result = run(animation("many.mkv", shared, "20", steps));
      ASSERT_EQ(result.status, 0) << result.err;
      EXPECT_LE(difference(video("many.mkv"), video("one.mkv")), 1) << fmt::format("{}", fmt::join(shared, " "));
      EXPECT_GE(equal_percent(video("many.mkv"), video("one.mkv")), 99.9) << fmt::format("{}", fmt::join(shared, " "));
    }
  };
  compare({"--context-weights", "hann"}, {"2", "4"});
  compare({"--chain", "--segment-size", "12"}, {"2"});
  compare({"--sampler", "unipc", "--timesteps", "trailing"}, {"2"}, "4");
  compare({"--sampler", "dpmpp-2m-sde", "--timesteps", "trailing"}, {"2"}, "4");
  compare({"--guidance-every", "2", "--reuse-every", "3"}, {"2"}, "4");
  compare({"--extrapolate"}, {"2"}, "4");
}

TEST_F(Resume, WhenOneOfSeveralProcessesDiesAllEndAndTheJobGoesOn) {
  ASSERT_EQ(run(animation("whole.mkv", {"--save-every", "0"})).status, 0);
  const pid_t program = start(animation("video.mkv", {"--processes", "2"}));
  while (!fs::exists(folder_ / "video-job/state.json") && ::kill(program, 0) == 0) ::usleep(10'000);
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", program));
  pid_t child = 0;
  ASSERT_TRUE(children >> child);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(program, &status, 0);
  EXPECT_NE(status, 0);
  ASSERT_EQ(run({"resume", "video-job", "--processes", "2"}).status, 0);
  EXPECT_LE(difference(video("video.mkv"), video("whole.mkv")), 1);
}

}  // namespace
}  // namespace unianimate
