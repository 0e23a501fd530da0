#include "unianimate/pipeline/clip_denoiser.h"

#include <gtest/gtest.h>

#include <array>
#include <tuple>

#include "support/golden_file.h"
#include "support/rule.h"
#include "support/rule_models.h"
#include "unianimate/core/error.h"

namespace unianimate::pipeline {
namespace {

using testing::relative_error;
using testing::rule_input;

constexpr models::LatentShape kClip{1, 11, 8, 8};
constexpr std::int64_t kTimestep = 500;

class ClipDenoiserTest : public ::testing::Test {
 protected:
  ClipDenoiserTest() {
    testing::fill_by_rule(unet_.named_parameters());
    conditions_.empty_prompt = rule_input("zero_y", {1, 77, 64});
    conditions_.image = rule_input("image", {1, 1, 64});
    conditions_.reference_latent = rule_input("randomref", {1, 4, 8, 8});
    conditions_.reference_pose = testing::rule_picture("reference_pose", 64, 64);
    std::vector<at::Tensor> poses;
    for (std::int64_t k = 0; k < kClip.frames; ++k) {
      poses.push_back(testing::rule_picture("pose" + std::to_string(k), 64, 64));
    }
    conditions_.poses = at::stack(poses);
  }

  [[nodiscard]] at::Tensor predict(const diffusion::ContextWindowOptions& windows, double guidance_scale) {
    return ClipDenoiser(unet_, conditions_, kClip, windows, guidance_scale, progress_)(x_, kTimestep);
  }

  /// One window's prediction straight from the UNet.
  [[nodiscard]] at::Tensor predict_window(const diffusion::ContextWindow& window, bool conditional) const {
    const at::Tensor frames = at::tensor(window, at::kLong);
    models::UNetConditions conditions;
    if (conditional) {
      const at::Tensor poses =
          at::cat({conditions_.reference_pose.unsqueeze(0), conditions_.poses.index_select(0, frames)});
      conditions.image = conditions_.image;
      conditions.randomref = conditions_.reference_latent.unsqueeze(2);
      conditions.dwpose = poses.to(at::kFloat).div(255).permute({3, 0, 1, 2}).unsqueeze(0);
    }
    const models::LatentShape shape{1, frames.size(0), kClip.height, kClip.width};
    return unet_(x_.index_select(2, frames), at::full({1}, kTimestep, at::kLong),
                 unet_.encode(conditions, conditions_.empty_prompt, shape));
  }

  c10::InferenceMode inference_;
  models::UNet unet_{testing::small_model_configs().unet, at::TensorOptions()};
  ClipConditions conditions_;
  at::Tensor x_ = rule_input("x", {1, 4, kClip.frames, kClip.height, kClip.width});
  Progress progress_;
};

TEST_F(ClipDenoiserTest, EveryFrameIsTheMeanOfTheWindowsThatCoverIt) {
  const diffusion::ContextWindowOptions windows{.size = 5, .overlap = 2};
  std::array<at::Tensor, 2> means;
  for (const bool conditional : {false, true}) {
    at::Tensor sum = at::zeros_like(x_);
    std::vector<float> counts(kClip.frames);
    for (const diffusion::ContextWindow& window : diffusion::context_windows(kClip.frames, windows)) {
      const at::Tensor v = predict_window(window, conditional);
      for (std::size_t i = 0; i < window.size(); ++i) {
        sum.select(2, window[i]).add_(v.select(2, static_cast<std::int64_t>(i)));
        ++counts[static_cast<std::size_t>(window[i])];
      }
    }
    means.at(conditional ? 1 : 0) = sum / at::tensor(counts).view({-1, 1, 1});
  }
  const at::Tensor expected = means[0] + 2.5 * (means[1] - means[0]);
  EXPECT_LE(relative_error(predict(windows, 2.5), expected), 2e-6);
  EXPECT_LE(relative_error(predict(windows, 1.0), means[1]), 2e-6);
}

TEST_F(ClipDenoiserTest, WindowsInBatchesGiveTheSame) {
  const at::Tensor one_by_one = predict({.size = 4, .overlap = 1, .batch_size = 1}, 2.5);
  for (const std::int64_t batch_size : {2, 3, 100}) {
    const at::Tensor batched = predict({.size = 4, .overlap = 1, .batch_size = batch_size}, 2.5);
    EXPECT_LE(relative_error(batched, one_by_one), 4e-6) << batch_size;
  }
}

TEST_F(ClipDenoiserTest, AShortClipIsOneWindow) {
  EXPECT_TRUE(at::equal(predict({.size = 11, .overlap = 2}, 2.5), predict({.size = 100, .overlap = 50}, 2.5)));
}

TEST_F(ClipDenoiserTest, CancelsBetweenWindows) {
  struct : Progress {
    [[nodiscard]] bool cancelled() const override { return now; }
    bool now = false;
  } progress;
  ClipDenoiser denoise(unet_, conditions_, kClip, {.size = 4, .overlap = 1}, 1.0, progress);
  progress.now = true;
  EXPECT_THROW(std::ignore = denoise(x_, kTimestep), Error);
}

}  // namespace
}  // namespace unianimate::pipeline
