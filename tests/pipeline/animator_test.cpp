#include "unianimate/pipeline/animator.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/rule.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/media/image_writer.h"
#include "unianimate/pipeline/pictures.h"

namespace unianimate::pipeline {
namespace {

/// Keeps the frames in memory.
class FrameCollector : public FrameSink {
 public:
  void write(const Image& frame) override { frames.push_back(frame); }
  void finish() override { finished = true; }
  std::vector<Image> frames;
  bool finished = false;
};

Image rule_image(const std::string& name, int height, int width) {
  return pipeline::image_from_tensor(testing::rule_picture(name, height, width));
}

class AnimatorTest : public ::testing::Test {
 protected:
  static constexpr int kPoses = 5;

  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    std::filesystem::create_directories(*folder_ / "poses");
    testing::write_rule_models(folder_->path(), testing::small_model_configs());
    write_png(*folder_ / "reference.png", rule_image("reference", 70, 60));
    write_png(*folder_ / "poses/ref_pose.png", rule_image("ref_pose", 64, 64));
    for (int k = 0; k < kPoses; ++k) {
      write_png(*folder_ / fmt::format("poses/{:04}.png", k), rule_image(fmt::format("pose{}", k), 64, 64));
    }
  }
  static void TearDownTestSuite() { folder_.reset(); }

  AnimatorTest() {
    request_.reference = *folder_ / "reference.png";
    request_.poses = *folder_ / "poses";
    request_.width = 64;
    request_.height = 64;
    request_.max_frames.reset();
    request_.frame_interval = 1;
    request_.sampling.steps = 2;
    options_.compute = choose_compute(DeviceChoice::kCpu, DTypeChoice::kFloat32);
  }

  std::vector<Image> animate(Animator& animator) {
    FrameCollector sink;
    report_ = animator.animate(request_, sink, silent_);
    EXPECT_TRUE(sink.finished);
    return sink.frames;
  }
  [[nodiscard]] Animator load() const { return Animator::load(find_model_files(folder_->path()), options_); }

  static std::unique_ptr<testing::TemporaryFolder> folder_;
  AnimateRequest request_;
  RuntimeOptions options_;
  AnimateReport report_;
  Progress silent_;
};

std::unique_ptr<testing::TemporaryFolder> AnimatorTest::folder_;

TEST_F(AnimatorTest, OneSeedGivesOneVideoAndAnotherSeedAnother) {
  Animator animator = load();
  const std::vector<Image> first = animate(animator);
  ASSERT_EQ(first.size(), static_cast<std::size_t>(kPoses));
  EXPECT_EQ(animate(animator), first);
  request_.seed += 1;
  EXPECT_NE(animate(animator), first);
}

TEST_F(AnimatorTest, ATightBudgetFreesModelsAndGivesTheSameVideo) {
  Animator roomy = load();
  const AnimatePlan plan = plan_animation(request_, roomy.configs(), options_);
  EXPECT_TRUE(plan.keeps_all_models);
  const std::vector<Image> expected = animate(roomy);

  options_.memory_budget = plan.peak_bytes - 1'000;
  Animator tight = load();
  const AnimatePlan tight_plan = plan_animation(request_, tight.configs(), options_);
  EXPECT_FALSE(tight_plan.keeps_all_models);
  EXPECT_TRUE(tight_plan.keeps_unet);
  EXPECT_LT(tight_plan.peak_bytes, plan.peak_bytes);
  EXPECT_EQ(animate(tight), expected);
  EXPECT_EQ(animate(tight), expected);

  options_.memory_budget = 1000;
  EXPECT_THROW(plan_animation(request_, tight.configs(), options_), Error);
}

TEST_F(AnimatorTest, AComparisonShowsReferencePoseAndResult) {
  Animator animator = load();
  const std::vector<Image> plain = animate(animator);
  request_.comparison = true;
  const std::vector<Image> columns = animate(animator);
  ASSERT_EQ(columns.size(), plain.size());
  EXPECT_EQ(columns[2].width, 3 * 64);
  for (int y = 0; y < 64; ++y) {
    EXPECT_TRUE(std::ranges::equal(columns[2].row(y).subspan(2 * 64 * 3), plain[2].row(y)));
    EXPECT_TRUE(std::ranges::equal(columns[2].row(y).subspan(64 * 3, 64 * 3), rule_image("pose2", 64, 64).row(y)));
  }
}

TEST_F(AnimatorTest, LengthsAroundTheWindowWork) {
  Animator animator = load();
  request_.context = {.size = 3, .overlap = 1, .batch_size = 2};
  for (const std::int64_t frames : {1, 2, 3, 4, 5}) {
    request_.max_frames = frames;
    EXPECT_EQ(animate(animator).size(), static_cast<std::size_t>(frames));
  }
}

TEST_F(AnimatorTest, EveryConditionSetWorks) {
  Animator animator = load();
  std::vector<std::vector<Image>> videos;
  for (const char* conditions :
       {"image", "randomref", "dwpose", "local_image", "randomref,dwpose", "image,local_image,randomref,dwpose"}) {
    request_.conditions = ConditionSet::parse(conditions);
    videos.push_back(animate(animator));
    for (std::size_t i = 0; i + 1 < videos.size(); ++i) EXPECT_NE(videos[i], videos.back()) << conditions;
  }
}

TEST_F(AnimatorTest, EtaDrawsNoiseThatTheSeedDecides) {
  Animator animator = load();
  const std::vector<Image> deterministic = animate(animator);
  request_.sampling.eta = 1;
  const std::vector<Image> noisy = animate(animator);
  EXPECT_NE(noisy, deterministic);
  EXPECT_EQ(animate(animator), noisy);
}

TEST_F(AnimatorTest, ReportsPhasesAndCalls) {
  Animator animator = load();
  animate(animator);
  std::vector<std::string> names;
  for (const Phase& phase : report_.phases) {
    names.push_back(phase.name);
    EXPECT_GT(phase.peak_bytes, 0);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"read pictures", "encode reference", "load UNet", "sample", "decode"}));
  const auto passes = static_cast<std::int64_t>(request_.sampling.timesteps().size()) * 2;
  EXPECT_EQ(report_.unet_calls, passes);
}

TEST_F(AnimatorTest, LorasChangeTheVideoAsFarAsTheirScaleGoes) {
  Animator plain = load();
  const std::vector<Image> expected = animate(plain);

  const std::string weight = "middle_block.1.transformer_blocks.0.attn1.to_v";
  const std::int64_t width = plain.configs().unet.dim * plain.configs().unet.dim_mult.back();
  checkpoint::save_safetensors(*folder_ / "lora.safetensors",
                               {{weight + ".lora_down.weight", testing::rule_weight("down", {2, width})},
                                {weight + ".lora_up.weight", testing::rule_weight("up", {width, 2})}});
  options_.loras = {{*folder_ / "lora.safetensors", 0}};
  Animator without_effect = load();
  EXPECT_EQ(animate(without_effect), expected);
  EXPECT_EQ(report_.notes.size(), 1U);
  options_.loras = {{*folder_ / "lora.safetensors", 20}};
  Animator strong = load();
  EXPECT_NE(animate(strong), expected);

  options_.loras = {{*folder_ / "nowhere.safetensors", 1}};
  EXPECT_THROW(plan_animation(request_, plain.configs(), options_), Error);
}

TEST_F(AnimatorTest, CancellingLeavesTheSinkUnfinished) {
  struct : Progress {
    void begin_phase(std::string_view name, std::int64_t) override { sampling = name == "sample"; }
    [[nodiscard]] bool cancelled() const override { return sampling; }
    bool sampling = false;
  } progress;
  FrameCollector sink;
  Animator animator = load();
  EXPECT_THROW(animator.animate(request_, sink, progress), Error);
  EXPECT_FALSE(sink.finished);
}

TEST(SideUnit, FollowsFromTheModels) {
  ModelConfigs configs = testing::small_model_configs();
  EXPECT_EQ(side_unit(configs), 64);
  try {
    check_size(500, 20, configs);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_STREQ(error.what(), "the sides of 500x20 must be multiples of 64 for these models; near is 512x64");
  }
  configs.unet.dim_mult = {1, 2, 4};
  EXPECT_EQ(side_unit(configs), 32);
  check_size(96, 128, configs);
  EXPECT_THROW(check_size(96, 144, configs), Error);
}

TEST_F(AnimatorTest, SidesThatDoNotSuitTheModelsAreRefused) {
  request_.width = 96;
  EXPECT_THROW(plan_animation(request_, load().configs(), options_), Error);
}

TEST(Pictures, DecodedValuesAreTruncatedTo8Bits) {
  const at::Tensor decoded = at::tensor({-2.0F, -1.0F, 0.0F, 0.999F, 1.0F, 3.0F}).view({3, 1, 2});
  EXPECT_EQ(image_from_decoded(decoded).pixels, (std::vector<std::uint8_t>{0, 127, 255, 0, 254, 255}));
}

}  // namespace
}  // namespace unianimate::pipeline
