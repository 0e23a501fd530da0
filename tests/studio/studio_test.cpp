// The controller as a face uses it: videos made, stopped, gone on with, side by side.
#include "unianimate/studio/studio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "media/test_images.h"
#include "support/rule.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/studio/job_folder.h"
#include "unianimate/studio/published_videos.h"
#include "unianimate/studio/resumption.h"

namespace unianimate::studio {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing::TemporaryFolder;

std::vector<Image> read_video(const fs::path& file) {
  std::vector<Image> frames;
  const auto source = open_frame_source(file);
  while (const auto frame = source->next()) frames.push_back(frame->image);
  return frames;
}

/// Writes down what it is told, and stops the work after some steps of a phase.
class Witness : public JobObserver {
 public:
  Witness() = default;
  Witness(std::string phase, std::int64_t steps) : stop_phase_(std::move(phase)), stop_steps_(steps) {}

  void begin_phase(std::string_view name, std::int64_t /*total*/) override { phases.emplace_back(name); }
  void step(std::int64_t done) override {
    if (phases.back() == stop_phase_ && done >= stop_steps_) stopped_ = true;
  }
  void note(const std::string& message) override { notes.push_back(message); }
  [[nodiscard]] bool cancelled() const override { return stopped_; }
  void begin_video(const VideoJob& job, std::size_t index, std::size_t count) override {
    begun.push_back(fmt::format("{} {}/{}", job.output.filename().string(), index, count));
  }
  void planned(const PlannedVideo& video) override {
    plans.push_back(fmt::format("{} {} frames, job {}", video.job.output.filename().string(), video.plan.frames(),
                                video.job_folder.filename().string()));
    planned_jobs.push_back(video.job);
    plan_notes = video.plan.notes;
  }
  void finished(const FinishedVideo& video) override { finished_videos.push_back(video); }

  std::vector<std::string> phases;
  std::vector<std::string> notes;
  std::vector<std::string> begun;
  std::vector<std::string> plans;
  std::vector<VideoJob> planned_jobs;
  std::vector<std::string> plan_notes;  ///< of the last plan
  std::vector<FinishedVideo> finished_videos;

 private:
  std::string stop_phase_;
  std::int64_t stop_steps_ = 0;
  std::atomic<bool> stopped_ = false;
};

/// How often a file is opened by anybody while this lives.
class OpenCount {
 public:
  explicit OpenCount(const fs::path& file) : queue_(::inotify_init1(IN_NONBLOCK)) {
    ::inotify_add_watch(queue_, file.c_str(), IN_OPEN | IN_CLOSE);
  }
  ~OpenCount() { ::close(queue_); }
  OpenCount(const OpenCount&) = delete;
  OpenCount& operator=(const OpenCount&) = delete;

  /// Since the last call.
  [[nodiscard]] int take() const {
    int count = 0;
    for (inotify_event event{}; ::read(queue_, &event, sizeof(event)) > 0;)
      count += (event.mask & IN_OPEN) != 0 ? 1 : 0;
    return count;
  }

 private:
  int queue_;
};

class StudioTest : public ::testing::Test {
 protected:
  static constexpr int kPoses = 6;

  static void SetUpTestSuite() {
    shared_ = std::make_unique<TemporaryFolder>();
    fs::create_directories(*shared_ / "models");
    testing::write_rule_models(*shared_ / "models", testing::tiny_model_configs());
    const auto picture = [](const std::string& name) {
      return family::image_from_tensor(testing::rule_picture(name, 64, 64));
    };
    fs::create_directories(*shared_ / "poses");
    write_png(*shared_ / "person.png", picture("person"));
    write_png(*shared_ / "poses/ref_pose.png", picture("ref_pose"));
    for (int k = 0; k < kPoses; ++k) {
      write_png(*shared_ / fmt::format("poses/{}.png", k), picture(fmt::format("pose{}", k)));
    }
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static family::RuntimeOptions runtime() {
    family::RuntimeOptions options;
    options.compute = choose_compute(DeviceChoice::kCpu, DTypeChoice::kFloat32);
    return options;
  }
  static fs::path models() { return *shared_ / "models"; }
  [[nodiscard]] VideoJob job(const std::string& output) const {
    VideoJob job;
    job.request.reference = *shared_ / "person.png";
    job.request.poses = *shared_ / "poses";
    job.request.width = 64;
    job.request.height = 64;
    job.request.frames = 3;
    job.request.frame_interval = 1;
    job.request.sampling.steps = 3;
    job.output = folder_ / output;
    return job;
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) names.insert(entry.path().filename().string());
    return names;
  }
  /// Stops the job's video, which was begun before, where `witness` says, and goes on with it.
  std::vector<Image> stopped_and_resumed(const VideoJob& job, Witness& witness) {
    EXPECT_NE(error_of(ErrorKind::kCancelled, [&] { Studio::open(models(), runtime()).make({job}, {}, witness); }), "");
    EXPECT_THAT(witness.notes, Contains(HasSubstr("what is done is kept")));
    const fs::path kept = fs::path(job.output).replace_extension().string() + "-job";
    Witness rest;
    resume(kept, summarize_job(kept).record, runtime().compute, {}, nullptr, rest);
    EXPECT_THAT(rest.finished_videos, SizeIs(1));
    EXPECT_FALSE(fs::exists(kept));
    return read_video(job.output);
  }

  static std::unique_ptr<TemporaryFolder> shared_;
  TemporaryFolder folder_;  // NOLINT(misc-non-private-member-variables-in-classes)
};
std::unique_ptr<TemporaryFolder> StudioTest::shared_;

TEST_F(StudioTest, MakesVideosOneAfterAnotherAndTellsOfThem) {
  VideoJob other = job("b.mkv");
  other.request.seed += 1;
  Witness witness;
  auto studio = Studio::open(models(), runtime());
  const std::vector<FinishedVideo> videos = studio.make({job("a.mkv"), other}, {}, witness);
  EXPECT_THAT(witness.begun, ElementsAre("a.mkv 0/2", "b.mkv 1/2"));
  EXPECT_THAT(witness.finished_videos, SizeIs(2));
  ASSERT_THAT(videos, SizeIs(2));
  EXPECT_EQ(videos[1].job.output, folder_ / "b.mkv");
  EXPECT_EQ(videos[1].report.frames, 3);
  EXPECT_EQ(names(), (std::set<std::string>{"a.mkv", "b.mkv"}));
  EXPECT_THAT(read_video(folder_ / "a.mkv"), SizeIs(3));
  EXPECT_NE(read_video(folder_ / "a.mkv"), read_video(folder_ / "b.mkv"));
}

TEST_F(StudioTest, APlanTellsTheSameAndMakesNothing) {
  Witness witness;
  auto studio = Studio::open(models(), runtime());
  studio.plan({job("a.mkv"), job("b.mkv")}, {}, witness);
  EXPECT_THAT(witness.plans, ElementsAre("a.mkv 3 frames, job a-job", "b.mkv 3 frames, job b-job"));
  EXPECT_THAT(witness.begun, IsEmpty());
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(StudioTest, WhatIsStoppedIsGoneOnWithBitForBit) {
  Witness whole;
  Studio::open(models(), runtime()).make({job("whole.mkv")}, {}, whole);
  Witness stopping("sample", 3);
  EXPECT_EQ(stopped_and_resumed(job("stopped.mkv"), stopping), read_video(folder_ / "whole.mkv"));
}

TEST_F(StudioTest, AChainThatIsStoppedInItsSecondSegmentIsGoneOnWithBitForBit) {
  VideoJob chain = job("whole.mkv");
  chain.request.frames = 5;
  chain.request.chain = family::ChainOptions{3, 1, false};
  Witness whole;
  Studio::open(models(), runtime()).make({chain}, {}, whole);
  EXPECT_THAT(whole.phases, Contains("sample 2/2"));
  chain.output = folder_ / "stopped.mkv";
  Witness stopping("sample 2/2", 3);
  EXPECT_EQ(stopped_and_resumed(chain, stopping), read_video(folder_ / "whole.mkv"));
}

TEST_F(StudioTest, ASegmentIsMadeAgainFromAnotherSeed) {
  VideoJob chain = job("chain.mkv");
  chain.request.frames = 5;
  chain.request.chain = family::ChainOptions{3, 1, false};
  JobKeeping keeping;
  keeping.keep = true;
  Witness witness;
  Studio::open(models(), runtime()).make({chain}, keeping, witness);
  const std::vector<Image> before = read_video(chain.output);
  const fs::path kept = folder_ / "chain-job";
  const auto again = [&](const ResumeOptions& options) {
    resume(kept, summarize_job(kept).record, runtime().compute, options, nullptr, witness);
  };
  again({.keep = false, .redo = 2, .seed = 99});
  EXPECT_THAT(witness.notes, Contains("segment 2 of 2 is made again with seed 99"));
  const std::vector<Image> after = read_video(chain.output);
  ASSERT_THAT(after, SizeIs(5));
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + 2, after.begin()));
  EXPECT_NE(after.back(), before.back());
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { again({.keep = false, .redo = 3, .seed = {}}); }),
              HasSubstr("between 1 and 2"));
}

TEST_F(StudioTest, OneOfTwoSideBySideIsStoppedAlone) {
  Witness whole;
  Studio::open(models(), runtime()).make({job("whole.mkv")}, {}, whole);
  Witness stopping("sample", 2);
  Witness going;
  std::string refusal;
  {
    const std::jthread one([&] {
      refusal = error_of(ErrorKind::kCancelled,
                         [&] { Studio::open(models(), runtime()).make({job("one.mkv")}, {}, stopping); });
    });
    const std::jthread two([&] { Studio::open(models(), runtime()).make({job("two.mkv")}, {}, going); });
  }
  EXPECT_NE(refusal, "");
  EXPECT_THAT(stopping.finished_videos, IsEmpty());
  EXPECT_FALSE(fs::exists(folder_ / "one.mkv"));
  EXPECT_THAT(going.finished_videos, SizeIs(1));
  EXPECT_EQ(read_video(folder_ / "two.mkv"), read_video(folder_ / "whole.mkv"));
}

TEST_F(StudioTest, NotesAreToldOnceForAVideo) {
  VideoJob fewer = job("a.mkv");
  fewer.request.frames = 32;  // more than there are poses, of which a note tells
  Witness witness;
  Studio::open(models(), runtime()).make({fewer}, {}, witness);
  EXPECT_THAT(witness.notes, Not(IsEmpty()));
  EXPECT_THAT(std::set<std::string>(witness.notes.begin(), witness.notes.end()), SizeIs(witness.notes.size()));
}

TEST(NotesOnce, PassesEqualNotesOnAgainForTheNextVideo) {
  Witness witness;
  NotesOnce once(witness);
  const VideoJob job;
  once.note("a");
  once.begin_video(job, 0, 2);
  once.note("a");
  once.note("b");
  once.begin_video(job, 1, 2);
  once.note("a");
  EXPECT_THAT(witness.notes, ElementsAre("a", "b", "a"));
}

TEST_F(StudioTest, ModelsAreLookedAtOnceForAllThatAStudioMakes) {
  const OpenCount opened(family::find_model_files(models()).unet);
  auto studio = Studio::open(models(), runtime());
  EXPECT_EQ(opened.take(), 0);
  studio.models();
  EXPECT_GT(opened.take(), 0);
  Witness witness;
  studio.plan({job("a.mkv")}, {}, witness);
  EXPECT_LE(opened.take(), 1) << "to try out how quickly it is loaded";
  studio.plan({job("b.mkv")}, {}, witness);
  EXPECT_EQ(opened.take(), 0);
}

// ---- orders

class Order : public StudioTest {
 protected:
  Order() {
    order_.job = job("a.mkv");
    order_.refuse_given = [this](const fields::Filter& asked, std::string_view when) {
      for (const fields::Field& field : {fields::make_field("person", fields::group("Motion")),
                                         fields::make_field("frame_interval"), fields::make_field("reference")}) {
        if (asked(field)) asked_.emplace(field.name, when);
      }
    };
  }
  std::string refusal(ErrorKind kind) {
    return error_of(kind, [&] { Studio::open(models(), runtime()).make(order_, witness_); });
  }

  VideoOrder order_;                          // NOLINT(misc-non-private-member-variables-in-classes)
  std::map<std::string, std::string> asked_;  // NOLINT(misc-non-private-member-variables-in-classes)
  Witness witness_;                           // NOLINT(misc-non-private-member-variables-in-classes)
};

TEST_F(Order, OfPosePicturesPlaysEightFramesASecond) {
  const FinishedVideo video = Studio::open(models(), runtime()).make(order_, witness_);
  EXPECT_EQ(video.job.frames_per_second, 8);
  EXPECT_NEAR(open_frame_source(video.job.output)->info().frames_per_second, 8, 1e-6);
  EXPECT_THAT(asked_.at("person"), HasSubstr("with a folder of pose pictures"));
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(Order, OfInterpolatedFramesPlaysThemInTheSameTime) {
  const auto frames_of = [](const fs::path& file) {
    std::vector<Image> frames;
    const auto source = open_frame_source(file);
    while (const auto frame = source->next()) frames.push_back(frame->image);
    return frames;
  };
  Studio studio = Studio::open(models(), runtime());
  const FinishedVideo plain = studio.make(order_, witness_);
  const std::vector<Image> made = frames_of(plain.job.output);
  order_.job.output = folder_ / "b.mkv";
  order_.job.interpolate = 3;
  const FinishedVideo video = studio.make(order_, witness_);
  EXPECT_EQ(video.report.frames, plain.report.frames) << "that the models made";
  EXPECT_NEAR(open_frame_source(video.job.output)->info().frames_per_second, 24, 1e-6);
  const std::vector<Image> shown = frames_of(video.job.output);
  ASSERT_EQ(shown.size(), 3 * made.size());
  for (std::size_t i = 0; i < made.size(); ++i) EXPECT_EQ(shown[3 * i].pixels, made[i].pixels) << i;
}

TEST_F(Order, OfInterpolatedFramesNeedsTwoAndAKindThatShowsThem) {
  order_.job.interpolate = 5;
  EXPECT_THAT(refusal(ErrorKind::kUsage), HasSubstr("interpolate must be between 1 and 4"));
  order_.job.interpolate = 4;
  order_.frames_per_second = 16;
  order_.job.output = folder_ / "a.gif";
  EXPECT_THAT(refusal(ErrorKind::kUsage), HasSubstr("cannot show 64 frames per second"));
  order_.job.output = folder_ / "a.mkv";
  order_.job.request.frames = 1;
  EXPECT_THAT(refusal(ErrorKind::kUsage), HasSubstr("needs two frames or more"));
}

// A pose picture of twice the width, with somebody on its right, and a reference of that shape.
class WideOrder : public Order {
 protected:
  WideOrder() {
    const fs::path poses = folder_ / "poses";
    fs::create_directories(poses);
    for (const char* name : {"ref_pose.png", "0.png", "1.png", "2.png"}) {
      Image pose(200, 100);
      for (int y = 20; y < 80; ++y) std::ranges::fill(pose.row(y).subspan(3 * 140, 3 * 20), std::uint8_t{255});
      write_png(poses / name, pose);
    }
    write_png(folder_ / "wide.png", family::image_from_tensor(testing::rule_picture("wide", 100, 200)));
    order_.job.request.reference = folder_ / "wide.png";
    order_.job.request.poses = poses;
  }

  /// The job of the order.
  VideoJob planned() {
    Witness witness;
    Studio::open(models(), runtime()).plan(order_, witness);
    notes_ = witness.plan_notes;
    return witness.planned_jobs.at(0);
  }

  std::vector<std::string> notes_;  // NOLINT(misc-non-private-member-variables-in-classes)
};

TEST_F(WideOrder, IsCutAroundThePersonWhereNothingIsAskedFor) {
  const VideoJob job = planned();
  EXPECT_EQ(job.request.framing, frame_for(Fit::kCrop, {200, 100}, {64, 64}, {0.7, 0.14, 0.795, 0.826}));
  EXPECT_NEAR(job.request.framing.left, 0.4975, 1e-9);
  EXPECT_NEAR(job.request.framing.right, 0.9975, 1e-9);
  EXPECT_THAT(notes_, Contains(HasSubstr("columns 100 to 199 of 200 and all 100 rows")));
}

TEST_F(WideOrder, IsStretchedWithANoteWhereASizeIsAskedFor) {
  order_.size = SizeChoice{PictureSize{128, 64}};
  EXPECT_TRUE(planned().request.framing.is_whole());
  EXPECT_THAT(notes_, Not(Contains(HasSubstr("is made"))));
  order_.size = SizeChoice{PictureSize{64, 64}};
  EXPECT_TRUE(planned().request.framing.is_whole());
  EXPECT_THAT(notes_, Contains(HasSubstr("200x100 is made 100 % taller to fill 64x64")));
  order_.fit = Fit::kPad;
  EXPECT_EQ(planned().request.framing, (Framing{0, -0.5, 1, 1.5}));
  EXPECT_THAT(notes_, Not(Contains(HasSubstr("is made"))));
}

TEST_F(WideOrder, OfAutomaticSizeSuitsThePicture) {
  order_.job.request.width = order_.job.request.height = 128;
  order_.size = SizeChoice{};
  const VideoJob job = planned();
  EXPECT_EQ(job.request.width, 192);
  EXPECT_EQ(job.request.height, 96);
  EXPECT_TRUE(job.request.framing.is_whole());
}

TEST_F(WideOrder, GoesOnAsItWasBegun) {
  const std::vector<Image> expected = [&] {
    Studio::open(models(), runtime()).make(order_, witness_);
    return read_video(order_.job.output);
  }();
  order_.job.output = folder_ / "b.mkv";
  Witness stopping("sample", 2);
  EXPECT_NE(error_of(ErrorKind::kCancelled, [&] { Studio::open(models(), runtime()).make(order_, stopping); }), "");
  const fs::path kept = folder_ / "b-job";
  const JobRecord record = summarize_job(kept).record;
  EXPECT_EQ(record.job.request.framing, witness_.finished_videos.at(0).job.request.framing);
  resume(kept, record, runtime().compute, {}, nullptr, witness_);
  EXPECT_EQ(read_video(order_.job.output), expected);
}

TEST_F(Order, NeedsOneSourceOfPoses) {
  order_.motion = *shared_ / "dance.mp4";
  EXPECT_THAT(refusal(ErrorKind::kUsage), HasSubstr("give either --motion"));
  order_.motion.clear();
  order_.job.request.poses.clear();
  EXPECT_THAT(refusal(ErrorKind::kUsage), HasSubstr("give either --motion"));
}

TEST_F(Order, ThatWouldReplaceWhatItIsMadeFromIsRefused) {
  fs::copy(*shared_ / "person.png", folder_ / "person.png");
  order_.job.request.reference = folder_ / "person.png";
  order_.job.output = folder_.path();
  EXPECT_NE(refusal(ErrorKind::kUsage), "");
  fs::create_directories(folder_ / "a-job");
  order_.job.output = folder_ / "a-job" / "a.mkv";
  order_.keeping.folder = folder_ / "a-job";
  EXPECT_NE(refusal(ErrorKind::kUsage), "");
  EXPECT_THAT(witness_.begun, IsEmpty());
}

TEST_F(Order, WithoutModelsSaysWhichAreMissing) {
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { Studio::open(folder_.path(), runtime()).make(order_, witness_); }),
              HasSubstr(folder_.path().string()));
}

TEST_F(Order, OfAPictureThatIsNoneIsRefusedBeforeModelsAreLookedFor) {
  std::ofstream(folder_ / "letter.png") << "Dear reader";
  order_.job.request.reference = folder_ / "letter.png";
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { Studio::open(folder_ / "none", runtime()).make(order_, witness_); }),
              HasSubstr("letter.png"));
}

// ---- published configurations

class Published : public StudioTest {
 protected:
  Published() {
    std::ofstream(folder_ / "infer.yaml")
        << fmt::format("test_list_path: [[1, {0}/person.png, {0}/poses]]\n", shared_->path().string())
        << "resolution: [64, 64]\nmax_frames: 2\nddim_timesteps: 2\nUNet: {dim: 16}\nround: 2\n";
    order_.config = folder_ / "infer.yaml";
    order_.output_folder = folder_ / "outputs";
    order_.models = models().string();
    order_.result_only = true;
  }
  [[nodiscard]] std::size_t videos() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(order_.output_folder), {}));
  }

  std::unique_ptr<distributed::ProcessGroup> alone_ =  // NOLINT(misc-non-private-member-variables-in-classes)
      distributed::ProcessGroup::of_one();
  PublishedOrder order_;  // NOLINT(misc-non-private-member-variables-in-classes)
  Witness witness_;       // NOLINT(misc-non-private-member-variables-in-classes)
};

TEST_F(Published, IsPlannedWithoutItsFolder) {
  plan_published(order_, runtime(), *alone_, witness_);
  EXPECT_THAT(witness_.plans, SizeIs(2));
  EXPECT_FALSE(fs::exists(order_.output_folder));
}

TEST_F(Published, IsMadeAndWhatIsThereIsSkipped) {
  order_.skip_existing = true;
  EXPECT_THAT(make_published(order_, runtime(), *alone_, witness_), SizeIs(2));
  EXPECT_EQ(videos(), 2U);
  EXPECT_THAT(make_published(order_, runtime(), *alone_, witness_), IsEmpty());
  EXPECT_THAT(witness_.notes, Contains(HasSubstr("is there already and is skipped")));
}

TEST_F(Published, OfOtherSizesThanItsModelsIsRefused) {
  std::ofstream(folder_ / "infer.yaml", std::ios::app) << "auto_encoder: {ddconfig: {ch: 64}}\n";
  EXPECT_NE(error_of(ErrorKind::kInput, [&] { plan_published(order_, runtime(), *alone_, witness_); }), "");
}

}  // namespace
}  // namespace unianimate::studio
