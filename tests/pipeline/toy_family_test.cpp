// The pipeline with a family that it has never seen, against the same work by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "pipeline/collectors.h"
#include "pipeline/toy_family.h"
#include "support/rule.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/distributed/group_environment.h"
#include "unianimate/distributed/local_launch.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pipeline/animate.h"
#include "unianimate/pipeline/predictor.h"

namespace unianimate::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 16;
constexpr int kHeight = 24;
constexpr int kPoses = 32;

/// Consecutive frames or latents.
struct Stretch {
  std::int64_t first;
  std::int64_t size;
};

/// Keeps everything in memory, as it was given.
class MemoryStore final : public SegmentStore {
 public:
  explicit MemoryStore(std::int64_t save_every = 2) : save_every_(save_every) {}
  [[nodiscard]] std::int64_t save_every() const override { return save_every_; }
  [[nodiscard]] std::optional<std::uint64_t> seed(std::size_t segment) const override {
    return segment == 1 ? std::optional<std::uint64_t>(77) : std::nullopt;
  }
  std::int64_t load_sampling(std::size_t segment, const NamedTensors& tensors, at::Generator& generator,
                             Progress&) override {
    const auto saved = sampling_.find(segment);
    if (saved == sampling_.end()) return 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].tensor.copy_(saved->second.tensors.at(i));
    generator.set_state(saved->second.generator);
    return saved->second.steps;
  }
  void save_sampling(std::size_t segment, std::int64_t steps, const NamedTensors& tensors,
                     const at::Generator& generator) override {
    Sampling& saved = sampling_[segment] = {steps, {}, generator.get_state()};
    for (const auto& [name, tensor] : tensors) saved.tensors.push_back(tensor.clone());
  }
  std::int64_t finished_frames(std::size_t segment, Progress&) override {
    return static_cast<std::int64_t>(frames_[segment].size());
  }
  void add_frames(std::size_t segment, std::span<const Image> frames) override {
    ASSERT_FALSE(frames.empty());
    frames_[segment].insert(frames_[segment].end(), frames.begin(), frames.end());
  }
  void read_frames(std::size_t segment, const std::function<void(const Image&)>& take) const override {
    std::ranges::for_each(frames_.at(segment), take);
  }
  [[nodiscard]] std::int64_t steps_done(std::size_t segment) const {
    const auto saved = sampling_.find(segment);
    return saved == sampling_.end() ? 0 : saved->second.steps;
  }
  /// As if the process had ended before the last frames were written.
  void lose_frames(std::size_t segment, std::size_t kept) { frames_[segment].resize(kept); }

 private:
  struct Sampling {
    std::int64_t steps;
    std::vector<at::Tensor> tensors;
    at::Tensor generator;
  };
  std::int64_t save_every_;
  std::map<std::size_t, Sampling> sampling_;
  std::map<std::size_t, std::vector<Image>> frames_;
};

class ToyFamilyTest : public ::testing::Test {
 protected:
  ToyFamilyTest() {
    fs::create_directories(folder_ / "poses");
    const auto picture = [](const std::string& name) {
      return family::image_from_tensor(testing::rule_picture(name, kHeight, kWidth));
    };
    write_png(folder_ / "reference.png", reference_ = picture("reference"));
    write_png(folder_ / "poses/ref_pose.png", picture("ref_pose"));
    for (int k = 0; k < kPoses; ++k) {
      Image pose = picture("pose");
      for (std::uint8_t& value : pose.pixels) value = static_cast<std::uint8_t>(value / (k % 7 + 1));
      write_png(folder_ / fmt::format("poses/{:04}.png", k), pose);
      poses_.push_back(pose);
    }
    request_.reference = folder_ / "reference.png";
    request_.poses = folder_ / "poses";
    request_.width = kWidth;
    request_.height = kHeight;
    request_.frame_interval = 1;
    request_.sampling.steps = 3;
    request_.guidance_scale = 2;
    request_.context.schedule = diffusion::ContextSchedule::kPublished;
    options_.compute = {at::kCPU, at::kFloat, false, ""};
    family_ = testing::make_toy_family(options_);
  }

  std::vector<Image> animate(std::int64_t frames, SegmentStore* store = nullptr) {
    request_.frames = frames;
    AnimateOptions options;
    options.job = store;
    options.group = group_.get();
    FrameCollector sink;
    report_ = pipeline::animate(*family_, request_, sink, silent_, options);
    return sink.frames;
  }

  /// Stopped again and again, each time after one more question than before, until the video is done.
  std::vector<Image> animate_in_parts(SegmentStore& store, int questions, const std::function<void()>& note_stop) {
    AnimateOptions options;
    options.job = &store;
    for (;; ++questions) {
      FrameCollector sink;
      StopAfter progress(questions);
      try {
        pipeline::animate(*family_, request_, sink, progress, options);
        return sink.frames;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
        if (error.kind() != ErrorKind::kCancelled) return {};
        note_stop();
      }
    }
  }

  /// Mean brightness of the poses of each latent: of frame 0, then of four frames each, as far as there are.
  [[nodiscard]] at::Tensor pose_brightness(const Stretch& segment) const {
    std::vector<float> values;
    for (std::int64_t begin = 0; begin < segment.size; begin += begin == 0 ? 1 : 4) {
      const std::int64_t end = std::min(segment.size, begin == 0 ? 1 : begin + 4);
      double sum = 0;
      for (std::int64_t k = begin; k < end; ++k) {
        for (const std::uint8_t value : poses_[static_cast<std::size_t>(segment.first + k)].pixels) sum += value;
      }
      const double count = static_cast<double>(end - begin) * kWidth * kHeight * Image::kChannels;
      values.push_back(static_cast<float>(sum / count) / 255);
    }
    return at::tensor(values);
  }

  /// The clean latents of a segment that is covered by `windows`, by the definition of each step.
  [[nodiscard]] at::Tensor sample(const Stretch& segment, const std::vector<Stretch>& windows, std::uint64_t seed,
                                  const Image& first_frame) const {
    const at::Tensor brightness = pose_brightness(segment);
    at::Tensor x = at::empty({1, 2, brightness.size(0), kHeight / 4, kWidth / 4});
    at::Generator generator = make_generator(seed);
    testing::toy_start(x, generator, testing::brightness_of(reference_));
    for (int step = 0; step < 3; ++step) {
      const double time = (3.0 - step) / 3;
      const double next = (2.0 - step) / 3;
      std::vector<at::Tensor> mean;
      for (const bool conditional : {false, true}) {
        at::Tensor sum = at::zeros_like(x);
        at::Tensor count = at::zeros({x.size(2), 1, 1});
        for (const auto& [first, size] : windows) {
          const at::Tensor window = x.narrow(2, first, size);
          sum.narrow(2, first, size)
              .add_(testing::toy_velocity(window, time, brightness.narrow(0, first, size),
                                          testing::brightness_of(first_frame), conditional,
                                          testing::toy_features(window)));
          count.narrow(0, first, size).add_(1);
        }
        // Where states are carried, every window has those of the whole clip.
        const at::Tensor carried = testing::kToyStateShare * testing::toy_states({}, x);
        mean.push_back(request_.context.carry_state ? sum / count + carried : sum / count);
      }
      const at::Tensor v = mean[0] + 2.0 * (mean[1] - mean[0]);
      x = (1 - next) * (x - time * v) + next * (x + (1 - time) * v);
    }
    return x;
  }

  /// Its frames.
  static std::vector<Image> decode(const at::Tensor& latents, std::int64_t frames) {
    std::vector<Image> pictures;
    at::Tensor state;
    for (std::int64_t latent = 0; latent < latents.size(2); ++latent) {
      state = testing::toy_state(state, latents[0].select(1, latent));
      for (int i = 0; i < (latent == 0 ? 1 : 4); ++i) pictures.push_back(testing::toy_frame(state, i));
    }
    pictures.resize(static_cast<std::size_t>(frames));
    return pictures;
  }

  [[nodiscard]] std::vector<Image> by_hand(std::int64_t frames, const std::vector<Stretch>& windows) const {
    return decode(sample({0, frames}, windows, request_.seed, reference_), frames);
  }

  testing::TemporaryFolder folder_;
  Image reference_;
  std::vector<Image> poses_;
  family::AnimateRequest request_;
  family::RuntimeOptions options_;
  std::unique_ptr<family::Family> family_;
  std::unique_ptr<distributed::ProcessGroup> group_;  ///< null: this process alone
  AnimateReport report_;
  Progress silent_;
};

/// Takes so many frames and then no more.
class FullSink final : public FrameSink {
 public:
  explicit FullSink(std::size_t room) : room_(room) {}
  void write(const Image& frame) override {
    if (frames.size() == room_) throw Error(ErrorKind::kEnvironment, "there is no more room");
    frames.push_back(frame);
  }
  void finish() override { finished = true; }
  std::vector<Image> frames;
  bool finished = false;

 private:
  std::size_t room_;
};

// Two parts, of which the second is decoded while the first is written.
TEST_F(ToyFamilyTest, ASinkThatTakesNoMoreEndsTheVideoInEveryPart) {
  for (int k = kPoses; k < 80; ++k) fs::copy(folder_ / "poses/0000.png", folder_ / fmt::format("poses/{:04}.png", k));
  const std::vector<Image> whole = animate(77);
  ASSERT_EQ(whole.size(), 77U);
  for (const std::size_t room : {0, 1, 60, 61, 76}) {
    FullSink sink(room);
    try {
      pipeline::animate(*family_, request_, sink, silent_);
      FAIL() << "not noticed after " << room;
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "there is no more room");
    }
    EXPECT_FALSE(sink.finished);
    EXPECT_TRUE(std::equal(sink.frames.begin(), sink.frames.end(), whole.begin()));
    EXPECT_EQ(sink.frames.size(), room);
  }
}

TEST_F(ToyFamilyTest, AShortVideoIsWhatIsWorkedOutByHand) {
  for (const auto& [frames, latents] : {std::pair{1, 1}, {5, 2}, {7, 3}, {9, 3}, {10, 4}}) {
    EXPECT_EQ(animate(frames), by_hand(frames, {{0, latents}})) << frames;
    EXPECT_EQ(report_.model_calls, 3 * 2);
  }
  EXPECT_THAT(report_.notes, ::testing::Contains("a toy"));
}

TEST_F(ToyFamilyTest, WindowsAreCountedInFramesAndLieInLatents) {
  request_.context.size = 9;     // three latents
  request_.context.overlap = 3;  // at least one latent
  const std::vector<Stretch> windows{{0, 3}, {2, 3}, {4, 3}, {5, 3}};
  const std::vector<Image> expected = by_hand(29, windows);
  EXPECT_EQ(animate(29), expected);
  EXPECT_EQ(report_.model_calls, 3 * 2 * 4);
  request_.context.batch_size = 3;
  EXPECT_EQ(animate(29), expected);
  EXPECT_EQ(report_.model_calls, 3 * 2 * 2);
  options_.latent_memory = 0;
  family_ = testing::make_toy_family(options_);
  EXPECT_EQ(animate(29), expected) << "latents in a file";
}

TEST_F(ToyFamilyTest, ACarriedStateIsThatOfTheWholeClipInEveryWindowOfAStep) {
  request_.context = {.size = 9, .overlap = 3, .schedule = diffusion::ContextSchedule::kPublished};
  const std::vector<Stretch> windows{{0, 3}, {2, 3}, {4, 3}, {5, 3}};
  const std::vector<Image> without = animate(29);
  request_.context.carry_state = true;
  const std::vector<Image> expected = by_hand(29, windows);
  EXPECT_EQ(animate(29), expected);
  EXPECT_NE(expected, without);
  request_.frames = 29;
  const AnimatePlan plan = plan_animation(request_, *family_);
  EXPECT_EQ(plan.carried_bytes, 2 * (kHeight / 4) * (kWidth / 4) * 4) << "with conditions and without";
  request_.context.carry_state = false;
  EXPECT_EQ(plan.peak_bytes - plan_animation(request_, *family_).peak_bytes, plan.carried_bytes);
}

TEST_F(ToyFamilyTest, StoppedAfterAnyStepACarriedStateIsMadeAgain) {
  request_.frames = 29;
  request_.sampling.steps = 6;
  request_.context = {.size = 9, .overlap = 3, .schedule = diffusion::ContextSchedule::kEven, .carry_state = true};
  const std::vector<Image> expected = animate(29);
  MemoryStore store(1);
  std::set<std::int64_t> stops;
  const auto note_stop = [&] { stops.insert(store.steps_done(0)); };
  // Odd numbers of passes, so that it is stopped between the windows of a step, too.
  EXPECT_EQ(animate_in_parts(store, 11, note_stop), expected);
  EXPECT_GE(stops.size(), 3U) << "it was stopped after too few different steps";
}

TEST_F(ToyFamilyTest, ACarriedStateIsRefusedWhereWindowsAreNotOneAfterTheOther) {
  request_.frames = 29;
  request_.context = {.size = 9, .overlap = 3, .schedule = diffusion::ContextSchedule::kEven, .carry_state = true};
  EXPECT_NO_THROW((void)plan_animation(request_, *family_));
  const auto refused = [&](const auto& change) {
    family::AnimateRequest request = request_;
    change(request);
    EXPECT_THROW((void)plan_animation(request, *family_), Error);
  };
  refused([](family::AnimateRequest& request) { request.context.schedule = diffusion::ContextSchedule::kMoving; });
  refused([](family::AnimateRequest& request) { request.context.batch_size = 2; });
  refused([](family::AnimateRequest& request) { request.shortcuts.reuse_every = 2; });
}

TEST_F(ToyFamilyTest, TwoProcessesShareTheWindowsAndTheFirstHasTheFrames) {
  if (distributed::read_group_environment().size == 1) {
    // Two copies of this program meet in what follows.
    std::string program = "pipeline_tests";
    std::string filter = "--gtest_filter=ToyFamilyTest.TwoProcessesShareTheWindowsAndTheFirstHasTheFrames";
    std::array<char*, 3> arguments{program.data(), filter.data(), nullptr};
    const distributed::LocalOutcome outcome = distributed::run_on_this_machine(2, arguments.data());
    EXPECT_EQ(outcome.exit_status, 0) << outcome.message;
    return;
  }
  request_.context.size = 9;
  request_.context.overlap = 3;
  const std::vector<Image> expected = by_hand(29, {{0, 3}, {2, 3}, {4, 3}, {5, 3}});
  group_ = distributed::ProcessGroup::from_environment(at::kCPU);
  EXPECT_EQ(group_->size(), 2);
  EXPECT_EQ(animate(29), group_->rank() == 0 ? expected : std::vector<Image>());
  request_.context.schedule = diffusion::ContextSchedule::kEven;
  request_.context.carry_state = true;
  EXPECT_THROW(animate(29), Error) << "each window waits for the one before";
}

/// Features of every third step, what the conditions change of every second, windows that move.
class ToyShortcutTest : public ToyFamilyTest {
 protected:
  static constexpr std::int64_t kFrames = 29;
  static constexpr int kSteps = 8;

  ToyShortcutTest() {
    request_.sampling.steps = kSteps;
    request_.context = {.size = 9, .overlap = 3, .schedule = diffusion::ContextSchedule::kMoving};
    request_.shortcuts = {.guidance_every = 2, .reuse_every = 3};
  }

  /// By the definitions.
  [[nodiscard]] std::vector<Image> video_by_hand() const {
    const at::Tensor brightness = pose_brightness({0, kFrames});
    at::Tensor x = at::empty({1, 2, brightness.size(0), kHeight / 4, kWidth / 4});
    at::Generator generator = make_generator(request_.seed);
    testing::toy_start(x, generator, testing::brightness_of(reference_));
    std::map<std::pair<std::int64_t, bool>, at::Tensor> features;  // by the window's first latent
    std::vector<at::Tensor> differences;
    for (int step = 0; step < kSteps; ++step) {
      const double time = static_cast<double>(kSteps - step) / kSteps;
      const double next = static_cast<double>(kSteps - step - 1) / kSteps;
      if (step % 3 == 0) features.clear();
      const auto windows =
          diffusion::context_windows(x.size(2), latent_windows(request_.context, family_->geometry()), step / 3 * 3);
      const auto mean = [&](bool conditional) {
        at::Tensor sum = at::zeros_like(x);
        at::Tensor count = at::zeros({x.size(2), 1, 1});
        for (const auto& [first, size] : windows) {
          const at::Tensor window = x.narrow(2, first, size);
          const auto [known, is_new] = features.try_emplace({first, conditional});
          if (is_new) known->second = testing::toy_features(window);
          sum.narrow(2, first, size)
              .add_(testing::toy_velocity(window, time, brightness.narrow(0, first, size),
                                          testing::brightness_of(reference_), conditional, known->second));
          count.narrow(0, first, size).add_(1);
        }
        return at::Tensor(sum / count);
      };
      const at::Tensor c = mean(true);
      at::Tensor v;
      if (step % 2 == 0) {
        const at::Tensor u = mean(false);
        differences.push_back(c - u);
        v = u + 2.0 * (c - u);
      } else {
        const at::Tensor& last = differences.back();
        const at::Tensor& before = differences.size() > 1 ? differences[differences.size() - 2] : last;
        v = c + (last + 0.5 * (last - before));
      }
      x = (1 - next) * (x - time * v) + next * (x + (1 - time) * v);
    }
    return decode(x, kFrames);
  }
};

TEST_F(ToyShortcutTest, FeaturesBelongToTheirWindowAndPass) {
  const std::vector<Image> expected = video_by_hand();
  EXPECT_EQ(animate(kFrames), expected);
  EXPECT_THAT(report_.notes, ::testing::Contains(::testing::HasSubstr("context windows move only every 3 steps")));
  request_.context.batch_size = 3;
  EXPECT_EQ(animate(kFrames), expected);
  options_.latent_memory = 0;
  family_ = testing::make_toy_family(options_);
  EXPECT_EQ(animate(kFrames), expected) << "what is remembered lies in files";
  request_.shortcuts.reuse_every = 50;
  animate(kFrames);
  EXPECT_THAT(report_.notes, ::testing::Contains(::testing::HasSubstr("context windows stay where they are")));
}

TEST_F(ToyShortcutTest, TwoProcessesKeepTheFeaturesOfTheirPasses) {
  if (distributed::read_group_environment().size == 1) {
    std::string program = "pipeline_tests";
    std::string filter = "--gtest_filter=ToyShortcutTest.TwoProcessesKeepTheFeaturesOfTheirPasses";
    std::array<char*, 3> arguments{program.data(), filter.data(), nullptr};
    for (const int processes : {2, 3, 4}) {
      const distributed::LocalOutcome outcome = distributed::run_on_this_machine(processes, arguments.data());
      EXPECT_EQ(outcome.exit_status, 0) << outcome.message;
    }
    return;
  }
  const std::vector<Image> expected = video_by_hand();
  group_ = distributed::ProcessGroup::from_environment(at::kCPU);
  EXPECT_EQ(animate(kFrames), group_->rank() == 0 ? expected : std::vector<Image>());
}

TEST_F(ToyShortcutTest, PassesAreCountedAsTheWorkTheyAre) {
  request_.frames = kFrames;
  request_.context.schedule = diffusion::ContextSchedule::kPublished;
  const AnimatePlan plan = plan_animation(request_, *family_);
  // Of the eight steps 0, 3 and 6 compute features; of the unconditional passes in 0, 2, 4 and 6 the third has none.
  EXPECT_EQ(plan.windows, 4);
  EXPECT_EQ(plan.model_calls, 4 * (8 + 4));
  EXPECT_DOUBLE_EQ(plan.pass_equivalents, 4 * (3 + 3 + (5 + 1) * testing::kToyShareAboveFeatures));
  EXPECT_EQ(plan.feature_bytes, 2 * 4 * 2 * (kHeight / 4) * (kWidth / 4) * 4);
  EXPECT_EQ(plan.kept_bytes, 3 * plan.latent_bytes);
  request_.shortcuts = {};
  const AnimatePlan whole = plan_animation(request_, *family_);
  EXPECT_DOUBLE_EQ(whole.pass_equivalents, 4 * 16);
  EXPECT_DOUBLE_EQ(plan.model_operations / whole.model_operations, plan.pass_equivalents / whole.pass_equivalents);
  EXPECT_EQ(whole.feature_bytes, 0);
  EXPECT_EQ(plan.peak_bytes - whole.peak_bytes, plan.feature_bytes + 2 * plan.latent_bytes);
  request_.shortcuts.reuse_below = 1;
  EXPECT_THROW((void)plan_animation(request_, *family_), Error);
}

TEST_F(ToyShortcutTest, StoppedAfterAnyStepItGoesOn) {
  request_.frames = kFrames;
  const std::vector<diffusion::ShortcutOptions> all{{.guidance_every = 2},
                                                    {.guidance_every = 3, .guidance_interval = {{0, 999}}},
                                                    {.extrapolate = true},
                                                    {.reuse_every = 2},
                                                    {.guidance_every = 2, .reuse_every = 3},
                                                    {.reuse_every = 4, .extrapolate = true}};
  for (const diffusion::ShortcutOptions& shortcuts : all) {
    request_.shortcuts = shortcuts;
    const std::string name = fmt::format("{}", fmt::join(shortcuts.texts(), ", "));
    const std::vector<Image> expected = animate(kFrames);
    MemoryStore store(1);
    std::set<std::int64_t> stops;
    const auto note_stop = [&] { stops.insert(store.steps_done(0)); };
    EXPECT_EQ(animate_in_parts(store, 20, note_stop), expected) << name;
    EXPECT_GE(stops.size(), 2U) << name << " was stopped after too few different steps";
  }
}

TEST_F(ToyShortcutTest, EveryShortcutMakesAVideoOfItsOwn) {
  std::vector<std::vector<Image>> videos;
  for (const diffusion::ShortcutOptions& shortcuts : {diffusion::ShortcutOptions(),
                                                      {.guidance_every = 2},
                                                      {.guidance_every = 3},
                                                      {.reuse_every = 2},
                                                      {.reuse_every = 3},
                                                      {.extrapolate = true},
                                                      {.guidance_interval = {{1, 999}}}}) {
    request_.shortcuts = shortcuts;
    videos.push_back(animate(kFrames));
    EXPECT_EQ(std::ranges::count(videos, videos.back()), 1) << fmt::format("{}", fmt::join(shortcuts.texts(), ", "));
  }
}

class ToyChainTest : public ToyFamilyTest {
 protected:
  static constexpr std::int64_t kFrames = 20;

  ToyChainTest() {
    request_.context.size = 9;
    request_.chain = family::ChainOptions{.segment_size = 9, .segment_overlap = 2};
  }

  /// Three segments of eight frames that share two; the second one from a seed of its own.
  [[nodiscard]] std::vector<Image> chain_by_hand(std::uint64_t second_seed) const {
    std::vector<Image> video;
    Image first_frame = reference_;
    for (const std::int64_t first : {0, 6, 12}) {
      const std::uint64_t seed = first == 6 ? second_seed : request_.seed;
      const std::vector<Image> frames = decode(sample({first, 8}, {{0, 3}}, seed, first_frame), 8);
      for (std::int64_t i = 0; i < 8; ++i) {
        const Image& frame = frames[static_cast<std::size_t>(i)];
        if (first + i == static_cast<std::int64_t>(video.size())) {
          video.push_back(frame);
          continue;
        }
        Image& shared = video[static_cast<std::size_t>(first + i)];
        std::ranges::transform(shared.pixels, frame.pixels, shared.pixels.begin(), [&](int a, int b) {
          return static_cast<std::uint8_t>(((2 - i) * a + (1 + i) * b + 1) / 3);
        });
      }
      first_frame = frames[6];
    }
    return video;
  }
};

TEST_F(ToyChainTest, SegmentsBeginWithAFrameOfTheOneBefore) {
  EXPECT_EQ(animate(kFrames), chain_by_hand(request_.seed));
}

TEST_F(ToyChainTest, StoppedAnywhereItGoesOnFromWhatAStoreKept) {
  const std::vector<Image> expected = chain_by_hand(77);
  MemoryStore store;
  int stops = 0;
  request_.frames = kFrames;
  EXPECT_EQ(animate_in_parts(store, 33, [&] { ++stops; }), expected);
  EXPECT_GE(stops, 3) << "the work was over before it could be stopped";
  // A decoder with state begins anew and hands out what is missing.
  store.lose_frames(2, 3);
  EXPECT_EQ(animate(kFrames, &store), expected);
}

TEST_F(ToyFamilyTest, StoppedAfterAnyStepEverySolverGoesOn) {
  request_.frames = 17;
  request_.context.size = 9;
  request_.context.overlap = 3;
  for (const diffusion::SamplerEntry& entry : diffusion::samplers()) {
    request_.sampling = {.steps = 6, .sampler = entry.name};
    if (entry.takes_eta) request_.sampling.eta = 0.5;
    const std::vector<Image> expected = animate(17);
    MemoryStore store(1);
    std::set<std::int64_t> stops;
    const auto note_stop = [&] { stops.insert(store.steps_done(0)); };
    EXPECT_EQ(animate_in_parts(store, 12, note_stop), expected) << entry.name;
    EXPECT_GE(stops.size(), 3U) << entry.name << " was stopped after too few different steps";
  }
}

TEST_F(ToyFamilyTest, EverySolverMakesAVideoOfItsOwn) {
  request_.sampling.steps = 6;
  std::vector<std::vector<Image>> videos;
  for (const std::string_view sampler :
       {"ddim", "euler-ancestral", "dpmpp-2m", "dpmpp-2m-sde", "unipc", "unipc-bh1", "lcm", "tcd"}) {
    request_.sampling.sampler = sampler;
    const std::vector<Image> video = animate(9);
    EXPECT_EQ(animate(9), video) << sampler;
    EXPECT_FALSE(std::ranges::count(videos, video)) << sampler;
    videos.push_back(video);
  }
}

}  // namespace
}  // namespace unianimate::pipeline
