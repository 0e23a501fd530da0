// What an animation takes, worked out without models: checked by counted bytes and calls.
#include "unianimate/pipeline/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/rule_models.h"
#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/unianimate_family.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/nn/ops/in_floats.h"
#include "unianimate/nn/ops/linear.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    request_.width = 256;
    request_.height = 512;
    request_.frames.reset();
    request_.frame_interval = 1;
    options_.compute = choose_compute(DeviceChoice::kCpu, DTypeChoice::kFloat32);
    options_.memory_budget = kMuch;
  }

  [[nodiscard]] AnimatePlan plan(std::int64_t poses, const PreviewOptions& preview = {}) const {
    const auto family = family::make_unianimate({}, configs_, options_);
    return AnimationPlanner(*family, preview).plan_for_poses(request_, poses);
  }
  /// Bytes of one decoded picture.
  [[nodiscard]] std::int64_t picture() const { return std::int64_t{3} * request_.width * request_.height; }
  [[nodiscard]] std::int64_t autoencoder_bytes() const {
    std::int64_t elements = 0;
    const models::Autoencoder model(configs_.autoencoder, at::TensorOptions(at::kMeta));
    for (const NamedTensor& parameter : model.named_parameters()) elements += parameter.tensor.numel();
    return elements * std::int64_t{sizeof(float)};
  }

  static constexpr std::int64_t kMuch = 1'000'000'000'000;
  family::ModelConfigs configs_ = testing::small_model_configs();
  family::AnimateRequest request_;
  family::RuntimeOptions options_;
};

TEST_F(PlanTest, ASegmentWhoseColoursAreMatchedIsInMemoryAsAWhole) {
  request_.decode_batch = 64;  // so that decoding takes the most
  request_.chain = family::ChainOptions{.segment_size = 20, .segment_overlap = 2, .color_match = false};
  const AnimatePlan plain = plan(100);
  request_.chain->color_match = true;
  const AnimatePlan matched = plan(100);
  EXPECT_EQ(matched.largest_segment, 19) << "98 frames and two that are shared, in six segments";
  EXPECT_EQ(matched.peak_bytes - plain.peak_bytes, matched.largest_segment * picture());
  EXPECT_EQ(plan(1000).largest_segment, 20) << "however long the video is";
}

TEST_F(PlanTest, DecodedPreviewsNeedTheAutoencoderBesideTheUNet) {
  request_.context.size = 64;  // so that sampling takes the most
  // As little memory as lets it run at all.
  const auto least = [&](const PreviewOptions& preview) {
    std::int64_t too_little = 0;
    std::int64_t enough = kMuch;
    while (enough - too_little > 1) {
      options_.memory_budget = (too_little + enough) / 2;
      try {
        (void)plan(64, preview);
        enough = options_.memory_budget;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
        too_little = options_.memory_budget;
      }
    }
    return enough;
  };
  EXPECT_EQ(least({1, true}) - least({}), autoencoder_bytes());
  EXPECT_EQ(least({1, false}), least({}));
}

TEST_F(PlanTest, CountsWhatTheSinkNeedsOfEachPixelOfItsFrames) {
  constexpr std::int64_t kPixelBytes = 360;
  const auto family = family::make_unianimate({}, configs_, options_);
  const AnimationPlanner hungry(*family, {}, kPixelBytes);
  for (const bool comparison : {false, true}) {
    request_.comparison = comparison;
    EXPECT_EQ(hungry.plan_for_poses(request_, 20).peak_bytes - plan(20).peak_bytes,
              kPixelBytes * (comparison ? 3 : 1) * request_.width * request_.height);
  }
}

TEST_F(PlanTest, CountsTheFloatsInWhichBf16IsMultiplied) {
  options_.compute = {at::kCPU, at::kBFloat16, false, {}};
  constexpr auto kProcessor = static_cast<nn::KernelDevice>(at::kCPU);
  const nn::Ops usual = nn::ops_for(at::empty({1}, at::kBFloat16));
  const auto bytes_with = [&](decltype(nn::Ops::linear) linear) {
    nn::Ops row = usual;
    row.linear = linear;
    nn::register_ops(kProcessor, nn::KernelElement::kBFloat16, row);
    const std::int64_t bytes = plan(20).peak_bytes;
    nn::register_ops(kProcessor, nn::KernelElement::kBFloat16, usual);
    return bytes;
  };
  std::int64_t largest = 0;
  const auto see = [&](const nn::Module& model) {
    for (const NamedTensor& parameter : model.named_parameters()) largest = std::max(largest, parameter.tensor.numel());
  };
  see(models::UNet(configs_.unet, at::TensorOptions(at::kMeta)));
  see(models::Autoencoder(configs_.autoencoder, at::TensorOptions(at::kMeta)));
  constexpr std::int64_t kPartsOfActivations = 64 << 20;
  EXPECT_EQ(bytes_with(nn::linear_in_floats) - bytes_with(nn::one_dnn_linear), 2 * 4 * largest + kPartsOfActivations);
}

TEST_F(PlanTest, SaysWhatSharesItsRangeIn8Bits) {
  request_.context.batch_size = 4;
  request_.decode_batch = 2;
  const auto saying = [](const char* option) { return Contains(HasSubstr(std::string("that ") + option)); };
  EXPECT_THAT(plan(100).notes, Not(saying("context_batch_size")));
  options_.compute.int8 = true;
  EXPECT_THAT(plan(100).notes, AllOf(saying("context_batch_size 4"), saying("decode_batch 2")));
  EXPECT_THAT(plan(32).notes, Not(saying("context_batch_size"))) << "one window";
}

TEST_F(PlanTest, ARefusalNamesTheReusedFeaturesThatWouldNotFit) {
  request_.sampling.steps = 8;
  const auto refusal = [&] {
    options_.memory_budget = 1;
    try {
      (void)plan(100);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(), AllOf(HasSubstr("--dtype bf16"), Not(HasSubstr("--reuse-every"))));
  request_.shortcuts.reuse_every = 2;
  EXPECT_THAT(refusal(), HasSubstr("--reuse-every 1, which spares "));
  options_.compute.int8 = true;
  EXPECT_THAT(refusal(), Not(HasSubstr("--dtype bf16")));
}

TEST_F(PlanTest, CountsTheCallsOfEverySegmentAndStep) {
  request_.sampling.steps = 4;  // five timesteps
  request_.context = {.size = 8, .overlap = 2, .schedule = diffusion::ContextSchedule::kPublished};
  const AnimatePlan whole = plan(20);
  EXPECT_EQ(whole.segments, 1);
  EXPECT_EQ(whole.windows, 3);
  EXPECT_EQ(whole.model_calls, 2 * whole.timesteps * 3);
  request_.chain = family::ChainOptions{};
  const AnimatePlan chained = plan(22);
  EXPECT_EQ(chained.segments, 3);
  EXPECT_EQ(chained.model_calls, 2 * whole.timesteps * 3);
  request_.chain.reset();
  request_.context.schedule = diffusion::ContextSchedule::kMoving;
  std::int64_t windows = 0;
  for (std::int64_t step = 0; step < whole.timesteps; ++step) {
    windows += static_cast<std::int64_t>(diffusion::context_windows(20, request_.context, step).size());
  }
  EXPECT_EQ(plan(20).model_calls, 2 * windows);
}

TEST_F(PlanTest, CountsWhatTheSamplerKeeps) {
  request_.context.size = 64;  // so that sampling takes the most
  const AnimatePlan ddim = plan(64);
  EXPECT_EQ(ddim.kept_bytes, ddim.latent_bytes);
  for (const auto& [sampler, latents] : {std::pair<std::string_view, int>("dpmpp-2m", 1), {"unipc", 3}}) {
    request_.sampling.sampler = sampler;
    const AnimatePlan found = plan(64);
    EXPECT_EQ(found.kept_bytes, (1 + latents) * ddim.latent_bytes) << sampler;
    EXPECT_EQ(found.peak_bytes - ddim.peak_bytes, latents * ddim.latent_bytes) << sampler;
  }
}

}  // namespace
}  // namespace unianimate::pipeline
