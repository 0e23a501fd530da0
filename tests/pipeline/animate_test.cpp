#include "unianimate/pipeline/animate.h"
#include "pipeline/collectors.h"
#include "unianimate/studio/job_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "media/test_images.h"
#include "support/checkpoint_tensors.h"
#include "support/file_content.h"
#include "support/rule.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/families/families.h"
#include "unianimate/family/pictures.h"
#include "unianimate/family/unianimate/unianimate_family.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/media/pictures/resize.h"

namespace unianimate::pipeline {
namespace {

Image rule_image(const std::string& name, int height, int width) {
  return family::image_from_tensor(testing::rule_picture(name, height, width));
}

class AnimateTest : public ::testing::Test {
 protected:
  static constexpr int kPoses = 5;
  static constexpr int kLongPoses = 14;

  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    std::filesystem::create_directories(*folder_ / "poses");
    testing::write_rule_models(folder_->path(), testing::tiny_model_configs());
    write_png(*folder_ / "reference.png", rule_image("reference", 70, 60));
    write_png(*folder_ / "poses/ref_pose.png", rule_image("ref_pose", 64, 64));
    std::filesystem::create_directories(*folder_ / "long");
    write_png(*folder_ / "long/ref_pose.png", rule_image("ref_pose", 64, 64));
    for (int k = 0; k < kLongPoses; ++k) {
      write_png(*folder_ / fmt::format("long/{:04}.png", k), rule_image(fmt::format("pose{}", k), 64, 64));
    }
    for (int k = 0; k < kPoses; ++k) {
      write_png(*folder_ / fmt::format("poses/{:04}.png", k), rule_image(fmt::format("pose{}", k), 64, 64));
    }
  }
  static void TearDownTestSuite() { folder_.reset(); }

  AnimateTest() {
    request_.reference = *folder_ / "reference.png";
    request_.poses = *folder_ / "poses";
    request_.width = 64;
    request_.height = 64;
    request_.frames.reset();
    request_.frame_interval = 1;
    request_.sampling.steps = 2;
    options_.compute = choose_compute(DeviceChoice::kCpu, DTypeChoice::kFloat32);
  }

  std::vector<Image> animate(family::Family& models, const AnimateOptions& options = {}) {
    FrameCollector sink;
    report_ = pipeline::animate(models, request_, sink, silent_, options);
    EXPECT_TRUE(sink.finished);
    return sink.frames;
  }
  [[nodiscard]] std::unique_ptr<family::Family> load() const {
    return families::open_family(family::find_model_files(models_), options_);
  }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
  std::filesystem::path models_ = folder_->path();
  family::AnimateRequest request_;
  family::RuntimeOptions options_;
  AnimateReport report_;
  Progress silent_;
};

std::unique_ptr<testing::TemporaryFolder> AnimateTest::folder_;

TEST_F(AnimateTest, OneSeedGivesOneVideoAndAnotherSeedAnother) {
  const auto animator = load();
  const std::vector<Image> first = animate(*animator);
  ASSERT_EQ(first.size(), static_cast<std::size_t>(kPoses));
  EXPECT_EQ(animate(*animator), first);
  request_.seed += 1;
  EXPECT_NE(animate(*animator), first);
}

TEST_F(AnimateTest, ATightBudgetFreesModelsAndGivesTheSameVideo) {
  const auto roomy = load();
  const AnimatePlan plan = plan_animation(request_, *roomy);
  EXPECT_TRUE(plan.residency.all_models);
  const std::vector<Image> expected = animate(*roomy);

  options_.memory_budget = plan.peak_bytes - 1'000;
  const auto tight = load();
  const AnimatePlan tight_plan = plan_animation(request_, *tight);
  EXPECT_FALSE(tight_plan.residency.all_models);
  EXPECT_TRUE(tight_plan.residency.denoiser);
  EXPECT_LT(tight_plan.peak_bytes, plan.peak_bytes);
  EXPECT_EQ(animate(*tight), expected);
  EXPECT_EQ(animate(*tight), expected);

  options_.memory_budget = 1000;
  EXPECT_THROW(plan_animation(request_, *load()), Error);
}

TEST_F(AnimateTest, AComparisonShowsReferencePoseAndResult) {
  const auto animator = load();
  const std::vector<Image> plain = animate(*animator);
  request_.comparison = true;
  const std::vector<Image> columns = animate(*animator);
  ASSERT_EQ(columns.size(), plain.size());
  EXPECT_EQ(columns[2].width, 3 * 64);
  for (int y = 0; y < 64; ++y) {
    EXPECT_TRUE(std::ranges::equal(columns[2].row(y).subspan(2 * 64 * 3), plain[2].row(y)));
    EXPECT_TRUE(std::ranges::equal(columns[2].row(y).subspan(64 * 3, 64 * 3), rule_image("pose2", 64, 64).row(y)));
  }
}

TEST_F(AnimateTest, ATransparentReferenceIsToldAndGetsTheBackgroundAskedFor) {
  const auto animator = load();
  request_.frames = 1;
  EXPECT_THAT(plan_animation(request_, *animator).notes, ::testing::ElementsAre(::testing::HasSubstr("17 % wider")));
  request_.reference = testing::test_data("media/rgba.png");
  const std::vector<Image> stored = animate(*animator);
  EXPECT_THAT(report_.notes, ::testing::ElementsAre(::testing::HasSubstr("--background chooses one"),
                                                    ::testing::HasSubstr("35 % taller to fill 64x64")));
  request_.background = Color{255, 255, 255};
  const std::vector<Image> white = animate(*animator);
  EXPECT_THAT(report_.notes, ::testing::Contains(::testing::HasSubstr("where the background is #ffffff")));
  EXPECT_NE(white, stored);
  request_.background = Color{};
  EXPECT_NE(animate(*animator), white);
}

// What is cut out by hand, the reference with its edge and the poses with black, is what a framing shows.
TEST_F(AnimateTest, AFramingShowsThatPartOfAllPictures) {
  const auto animator = load();
  request_.framing = {-0.2, 0.1, 0.8, 1.25};
  const std::vector<Image> framed_video = animate(*animator);
  EXPECT_THAT(report_.notes, ::testing::ElementsAre(
                                 ::testing::HasSubstr("columns 0 to 47 of 60 and rows 7 to 69 of 70, with a border"),
                                 ::testing::HasSubstr("34 % wider")));
  const testing::TemporaryFolder by_hand;
  std::filesystem::create_directories(by_hand / "poses");
  write_png(by_hand / "reference.png", framed(read_image(request_.reference), request_.framing, Border::kEdge));
  for (const auto& entry : std::filesystem::directory_iterator(request_.poses)) {
    write_png(by_hand / "poses" / entry.path().filename(),
              framed(read_image(entry.path()), request_.framing, Border::kBlack));
  }
  request_.framing = {};
  const std::vector<Image> whole = animate(*animator);
  request_.reference = by_hand / "reference.png";
  request_.poses = by_hand / "poses";
  EXPECT_EQ(animate(*animator), framed_video);
  EXPECT_NE(framed_video, whole);
}

TEST_F(AnimateTest, LengthsAroundTheWindowWork) {
  const auto animator = load();
  request_.context = {.size = 3, .overlap = 1, .batch_size = 2};
  for (const std::int64_t frames : {1, 2, 3, 4, 5}) {
    request_.frames = frames;
    EXPECT_EQ(animate(*animator).size(), static_cast<std::size_t>(frames));
  }
}

TEST_F(AnimateTest, EveryConditionSetWorks) {
  const auto animator = load();
  std::vector<std::vector<Image>> videos;
  for (const char* conditions :
       {"image", "randomref", "dwpose", "local_image", "randomref,dwpose", "image,local_image,randomref,dwpose"}) {
    request_.conditions = family::ConditionSet::parse(conditions);
    videos.push_back(animate(*animator));
    for (std::size_t i = 0; i + 1 < videos.size(); ++i) EXPECT_NE(videos[i], videos.back()) << conditions;
  }
}

TEST_F(AnimateTest, EtaDrawsNoiseThatTheSeedDecides) {
  const auto animator = load();
  const std::vector<Image> deterministic = animate(*animator);
  request_.sampling.eta = 1;
  const std::vector<Image> noisy = animate(*animator);
  EXPECT_NE(noisy, deterministic);
  EXPECT_EQ(animate(*animator), noisy);
}

TEST_F(AnimateTest, ReportsPhasesAndCalls) {
  const auto animator = load();
  animate(*animator);
  std::vector<std::string> names;
  for (const Phase& phase : report_.phases) {
    names.push_back(phase.place.name());
    EXPECT_GT(phase.peak_bytes, 0);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"read pictures", "encode reference", "load UNet", "sample", "decode"}));
  const auto passes = request_.sampling.step_count() * 2;
  EXPECT_EQ(report_.model_calls, passes);
  const AnimatePlan plan = plan_animation(request_, *animator);
  std::vector<double> operations;
  for (const Phase& phase : report_.phases) operations.push_back(phase.operations);
  EXPECT_EQ(operations,
            (std::vector<double>{0, animator->encode_operations(request_), 0, plan.model_operations,
                                 animator->decoding_operations(plan.latent, family::DecoderChoice::kFull)}));
}

TEST_F(AnimateTest, LorasChangeTheVideoAsFarAsTheirScaleGoes) {
  const auto plain = load();
  const std::vector<Image> expected = animate(*plain);

  const std::string weight = "middle_block.1.transformer_blocks.0.attn1.to_v";
  const models::UNetConfig sizes = testing::tiny_model_configs().unet;
  const std::int64_t width = sizes.dim * sizes.dim_mult.back();
  checkpoint::save_safetensors(*folder_ / "lora.safetensors",
                               {{weight + ".lora_down.weight", testing::rule_weight("down", {2, width})},
                                {weight + ".lora_up.weight", testing::rule_weight("up", {width, 2})}});
  options_.loras = {{*folder_ / "lora.safetensors", 0}};
  const auto without_effect = load();
  EXPECT_EQ(animate(*without_effect), expected);
  EXPECT_EQ(report_.notes.size(), 2U) << "of the LoRA file, and of the picture's shape";
  options_.loras = {{*folder_ / "lora.safetensors", 20}};
  const auto strong = load();
  EXPECT_NE(animate(*strong), expected);

  options_.loras = {{*folder_ / "nowhere.safetensors", 1}};
  EXPECT_THROW(plan_animation(request_, *load()), Error);
}

TEST_F(AnimateTest, CancellingLeavesTheSinkUnfinished) {
  struct : Progress {
    void begin_phase(std::string_view name, std::int64_t) override { sampling = name == "sample"; }
    [[nodiscard]] bool cancelled() const override { return sampling; }
    bool sampling = false;
  } progress;
  FrameCollector sink;
  const auto animator = load();
  EXPECT_THROW(pipeline::animate(*animator, request_, sink, progress), Error);
  EXPECT_FALSE(sink.finished);
}

class LongVideos : public AnimateTest {
 protected:
  LongVideos() {
    request_.poses = *folder_ / "long";
    request_.context = {.size = 6, .overlap = 2};
    request_.guidance_scale = 1;
  }

  [[nodiscard]] std::unique_ptr<studio::JobFolder> job(const std::filesystem::path& folder,
                                                       const family::Family& models) const {
    const AnimatePlan plan = plan_animation(request_, models);
    studio::VideoJob video{request_, jobs_ / "video.mkv"};
    return studio::JobFolder::create(folder,
                                     studio::make_job_record(video, plan, family::find_model_files(models_), options_));
  }

  /// Made by a job that is stopped again and again, each time a little later.
  [[nodiscard]] std::vector<Image> animate_in_parts(family::Family& animator,
                                                    const std::filesystem::path& folder) const {
    int stops = 0;
    for (int questions = 20;; questions += 6, ++stops) {
      FrameCollector sink;
      StopAfter progress(questions);
      const std::unique_ptr<studio::JobFolder> begun = job(folder, animator);
      try {
        AnimateOptions options;
        options.job = begun.get();
        pipeline::animate(animator, request_, sink, progress, options);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCancelled) << error.what();
        if (error.kind() != ErrorKind::kCancelled) return {};
        continue;
      }
      EXPECT_GE(stops, 3) << "the work was over before it could be stopped";
      EXPECT_LE(stops, 60);
      return sink.frames;
    }
  }

  testing::TemporaryFolder jobs_;
};

TEST_F(LongVideos, LatentsInAFileGiveTheSameVideo) {
  request_.guidance_scale = 2;
  const auto animator = load();
  for (const double eta : {0.0, 1.0}) {
    request_.sampling.eta = eta;
    const std::vector<Image> in_memory = animate(*animator);
    ASSERT_EQ(in_memory.size(), static_cast<std::size_t>(kLongPoses));
    options_.latent_memory = 0;
    const auto spilling = load();
    EXPECT_EQ(animate(*spilling), in_memory) << "eta " << eta;
    options_.latent_memory = family::RuntimeOptions().latent_memory;
  }
}

TEST_F(LongVideos, EveryScheduleAndKindOfWeightsMakesItsOwnVideo) {
  const auto animator = load();
  std::vector<std::vector<Image>> videos;
  for (const auto schedule : {diffusion::ContextSchedule::kPublished, diffusion::ContextSchedule::kEven,
                              diffusion::ContextSchedule::kMoving}) {
    for (const auto weights : {diffusion::ContextWeights::kPublished, diffusion::ContextWeights::kPyramid,
                               diffusion::ContextWeights::kHann}) {
      request_.context.schedule = schedule;
      request_.context.weights = weights;
      request_.frames = 12;  // published and even windows differ
      videos.push_back(animate(*animator));
      EXPECT_EQ(videos.back().size(), 12U);
      EXPECT_EQ(std::ranges::count(videos, videos.back()), 1);
    }
  }
}

TEST_F(LongVideos, AChainGivesEveryFrameAndBeginsEachSegmentWithTheLastFrameOfTheOneBefore) {
  const auto animator = load();
  request_.chain = family::ChainOptions{.segment_size = 6, .segment_overlap = 1};
  request_.sampling.steps = 1;
  for (const std::int64_t frames : {1, 6, 7, 12}) {
    request_.frames = frames;
    EXPECT_EQ(animate(*animator).size(), static_cast<std::size_t>(frames));
  }
  request_.frames = 11;  // two segments of six
  const std::vector<Image> chained = animate(*animator);
  request_.chain.reset();
  request_.frames = 6;
  const std::vector<Image> first = animate(*animator);
  EXPECT_TRUE(std::equal(first.begin(), first.end() - 1, chained.begin()));

  // What the second segment is, made by hand: poses from the last frame on, which is the local image.
  const testing::TemporaryFolder by_hand;
  std::filesystem::create_directories(by_hand / "poses");
  std::filesystem::copy_file(*folder_ / "long/ref_pose.png", by_hand / "poses/ref_pose.png");
  for (int k = 5; k < 11; ++k) {
    std::filesystem::copy_file(*folder_ / fmt::format("long/{:04}.png", k),
                               by_hand / fmt::format("poses/{:02}.png", k));
  }
  // With the poses alone the reference has a say in nothing but the local image; at 999 not even in the noise.
  request_.noise_prior = 999;
  request_.conditions = family::ConditionSet::parse("dwpose");
  request_.frames = 6;
  write_png(by_hand / "last.png", animate(*animator).back());
  request_.frames = 11;
  request_.chain = family::ChainOptions{.segment_size = 6, .segment_overlap = 1};
  const std::vector<Image> from_poses = animate(*animator);
  request_.chain.reset();
  request_.frames = 6;
  request_.conditions = family::ConditionSet::parse("dwpose,local_image");
  request_.poses = by_hand / "poses";
  request_.reference = by_hand / "last.png";
  const std::vector<Image> second = animate(*animator);
  EXPECT_TRUE(std::equal(second.begin() + 1, second.end(), from_poses.begin() + 6));
}

TEST_F(LongVideos, ColorsOfAChainAreHeld) {
  const auto animator = load();
  request_.chain = family::ChainOptions{.segment_size = 6, .segment_overlap = 2};
  const std::vector<Image> plain = animate(*animator);
  request_.chain->color_match = true;
  const std::vector<Image> matched = animate(*animator);
  const auto mean = [](const Image& image) {
    double sum = 0;
    for (const std::uint8_t value : image.pixels) sum += value;
    return sum / static_cast<double>(image.pixels.size());
  };
  const double wanted = mean(resize_bilinear(rule_image("reference", 70, 60), 64, 64));
  EXPECT_LT(std::abs(mean(matched.back()) - wanted), std::abs(mean(plain.back()) - wanted));
  EXPECT_NEAR(mean(matched.back()), wanted, 12);
}

TEST_F(LongVideos, StoppedAnywhereAJobGoesOnToTheSameVideo) {
  const std::vector<diffusion::SamplerOptions> kinds{{.steps = 2},
                                                     {.steps = 2, .eta = 1},
                                                     {.steps = 3, .sampler = "dpmpp-2m"},
                                                     {.steps = 3, .sampler = "dpmpp-2m-sde"},
                                                     {.steps = 3, .sampler = "unipc"}};
  for (const diffusion::SamplerOptions& sampling : kinds) {
    for (const bool chain : {false, true}) {
      if (chain && sampling.sampler != "ddim") continue;
      const std::string name = fmt::format("{}-{}-{}", sampling.sampler, sampling.eta.value_or(0), chain);
      request_.sampling = sampling;
      if (sampling.steps > 2) request_.sampling.timesteps.rule = diffusion::TimestepRule::kTrailing;
      request_.chain.reset();
      if (chain) request_.chain = family::ChainOptions{.segment_size = 8, .segment_overlap = 2};
      const auto animator = load();
      const std::vector<Image> expected = animate(*animator);
      EXPECT_EQ(animate_in_parts(*animator, jobs_ / name), expected) << name;
    }
  }
}

TEST_F(LongVideos, AStateIsCarriedByModelsThatHaveOneAndAJobGoesOnToTheSameVideo) {
  request_.context.schedule = diffusion::ContextSchedule::kEven;
  request_.context.carry_state = true;
  request_.guidance_scale = 2;
  EXPECT_THROW((void)plan_animation(request_, *load()), Error) << "temporal Transformers";
  models_ = *folder_ / "mamba";
  std::filesystem::create_directories(models_);
  family::ModelConfigs configs = testing::tiny_model_configs();
  configs.unet.temporal = models::TemporalKind::kMamba;
  testing::write_rule_models(models_, configs);
  const auto animator = load();
  const std::vector<Image> expected = animate(*animator);
  EXPECT_EQ(animate_in_parts(*animator, jobs_ / "carried"), expected);
  request_.context.carry_state = false;
  EXPECT_NE(animate(*animator), expected);
}

TEST_F(LongVideos, WhatIsOnlyToBeDecodedNeedsNoUNet) {
  request_.sampling.steps = 1;
  const auto animator = load();
  const std::vector<Image> expected = animate(*animator);
  const std::unique_ptr<studio::JobFolder> begun = job(jobs_ / "job", *animator);
  AnimateOptions options;
  options.job = begun.get();
  struct : Progress {
    void begin_phase(std::string_view name, std::int64_t) override { decoding = name == "decode"; }
    [[nodiscard]] bool cancelled() const override { return decoding; }
    bool decoding = false;
  } progress;
  FrameCollector unfinished;
  EXPECT_THROW(pipeline::animate(*animator, request_, unfinished, progress, options), Error);
  const auto another = load();
  EXPECT_EQ(animate(*another, options), expected);
  std::vector<std::string> names;
  for (const Phase& phase : report_.phases) names.push_back(phase.place.name());
  EXPECT_EQ(names, (std::vector<std::string>{"read pictures", "decode", "write video"}));
}

TEST_F(LongVideos, PreviewsShowTheVideoBeforeItIsDone) {
  const auto animator = load();
  request_.sampling.steps = 2;
  ASSERT_EQ(request_.sampling.step_count(), 2);
  const std::vector<Image> result = animate(*animator);
  for (const bool decoded : {false, true}) {
    const std::filesystem::path file = jobs_ / (decoded ? "decoded.mkv" : "linear.mkv");
    AnimateOptions options;
    options.preview = {.every = 2, .decoded = decoded};
    options.open_preview = [&](int width, int height) { return open_video_writer(file, {width, height, 8}); };
    animate(*animator, options);
    const auto preview = open_frame_source(file);
    EXPECT_EQ(preview->info().frame_count, kLongPoses);
    const Image first = preview->next().value().image;
    EXPECT_EQ(first.width, 64);
    if (!decoded) continue;
    // The last step leaves next to no noise, so that its x0 is the result.
    double difference = 0;
    for (std::size_t i = 0; i < first.pixels.size(); ++i) {
      difference += std::abs(static_cast<int>(first.pixels[i]) - static_cast<int>(result[0].pixels[i]));
    }
    EXPECT_LT(difference / static_cast<double>(first.pixels.size()), 6);
  }
}

TEST_F(LongVideos, ASmallDecoderMakesTheVideoWhereItIsAskedForAndPreviewsWhereItIsThere) {
  const auto without = load();
  const std::vector<Image> full = animate(*without);
  request_.decoder = family::DecoderChoice::kSmall;
  try {
    (void)plan_animation(request_, *without);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("there is no small decoder beside these models; train one"));
  }
  family::ModelFiles files = family::find_model_files(folder_->path());
  files.small_decoder = jobs_ / "small_decoder.safetensors";
  testing::write_rule_small_decoder(folder_->path(), files.small_decoder);
  const auto with = families::open_family(files, options_);
  const std::vector<Image> small = animate(*with);
  ASSERT_EQ(small.size(), full.size());
  EXPECT_NE(small, full);
  const AnimatePlan of_small = plan_animation(request_, *with);
  request_.decoder = family::DecoderChoice::kFull;
  const AnimatePlan of_full = plan_animation(request_, *with);
  EXPECT_LT(of_small.decoding_operations, of_full.decoding_operations);
  EXPECT_EQ(animate(*with), full) << "the file alone changes nothing";

  const std::filesystem::path file = jobs_ / "preview.mkv";
  AnimateOptions options;
  options.preview = {.every = 2, .decoded = false};
  options.open_preview = [&](int width, int height) { return open_video_writer(file, {width, height, 8}); };
  EXPECT_EQ(animate(*with, options), full);
  const Image first = open_frame_source(file)->next().value().image;
  // The last step leaves next to no noise, so that its x0 is what the small decoder would make the video of.
  const auto distance = [&](const Image& other) {
    double sum = 0;
    for (std::size_t i = 0; i < first.pixels.size(); ++i) {
      sum += std::abs(static_cast<int>(first.pixels[i]) - static_cast<int>(other.pixels[i]));
    }
    return sum / static_cast<double>(first.pixels.size());
  };
  EXPECT_LT(distance(small[0]), 6);
  EXPECT_GT(distance(full[0]), 12);
  EXPECT_GT(plan_animation(request_, *with, options.preview).decoding_operations, of_full.decoding_operations);
}

TEST_F(LongVideos, ASmallDecoderThatDoesNotFitIsInNobodysWayUnlessItIsAskedFor) {
  const std::filesystem::path file = jobs_ / "preview.mkv";
  AnimateOptions options;
  options.preview = {.every = 2, .decoded = false};
  options.open_preview = [&](int width, int height) { return open_video_writer(file, {width, height, 8}); };
  const auto without = load();
  const std::vector<Image> video = animate(*without, options);
  const std::string linear = testing::file_content(file);
  const double operations = plan_animation(request_, *without, options.preview).decoding_operations;

  family::ModelFiles files = family::find_model_files(folder_->path());
  files.small_decoder = jobs_ / "small_decoder.safetensors";
  testing::write_rule_small_decoder(folder_->path(), files.small_decoder);
  const auto change = [&](bool finite) {
    checkpoint::Metadata metadata = checkpoint::open_checkpoint(files.small_decoder).metadata();
    NamedTensors weights = testing::tensors_of(files.small_decoder);
    if (finite) metadata.at("autoencoder").back() ^= 1;
    if (!finite) weights.front().tensor.view(-1)[0] = std::numeric_limits<float>::infinity();
    checkpoint::save_safetensors(files.small_decoder, weights, metadata);
  };
  for (const bool finite : {false, true}) {
    change(finite);
    const auto models = families::open_family(files, options_);
    const AnimatePlan plan = plan_animation(request_, *models, options.preview);
    EXPECT_EQ(plan.decoding_operations, operations);
    EXPECT_THAT(plan.notes, ::testing::Contains(::testing::HasSubstr("previews are made without the small decoder")));
    EXPECT_EQ(animate(*models, options), video);
    EXPECT_EQ(testing::file_content(file), linear);
    EXPECT_THAT(plan_animation(request_, *models).notes,
                ::testing::Not(::testing::Contains(::testing::HasSubstr("small decoder"))))
        << "no previews";
    request_.decoder = family::DecoderChoice::kSmall;
    EXPECT_THROW((void)plan_animation(request_, *models, options.preview), Error);
    request_.decoder = family::DecoderChoice::kFull;
  }
}

TEST(SideUnit, FollowsFromTheModels) {
  family::ModelConfigs configs = testing::small_model_configs();
  const auto geometry = [&] { return family::make_unianimate({}, configs, {})->geometry(); };
  EXPECT_EQ(geometry().side_unit, 64);
  try {
    check_size(500, 20, geometry());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_STREQ(error.what(), "the sides of 500x20 must be multiples of 64 for these models; near is 512x64");
  }
  configs.unet.dim_mult = {1, 2, 4};
  EXPECT_EQ(geometry().side_unit, 32);
  check_size(96, 128, geometry());
  EXPECT_THROW(check_size(96, 144, geometry()), Error);
}

TEST_F(AnimateTest, SidesThatDoNotSuitTheModelsAreRefused) {
  request_.width = 100;
  EXPECT_THROW(plan_animation(request_, *load()), Error);
}

TEST(Pictures, DecodedValuesAreTruncatedTo8Bits) {
  const at::Tensor decoded = at::tensor({-2.0F, -1.0F, 0.0F, 0.999F, 1.0F, 3.0F}).view({3, 1, 2});
  EXPECT_EQ(family::image_from_decoded(decoded).pixels, (std::vector<std::uint8_t>{0, 127, 255, 0, 254, 255}));
}

}  // namespace
}  // namespace unianimate::pipeline
