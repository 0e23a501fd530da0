// Layers of the UNet that compute a long clip in parts.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <functional>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/models/unet/residual_block.h"
#include "unianimate/models/unet/transformer.h"
#include "unianimate/nn/in_parts.h"

namespace unianimate::models {
namespace {

using testing::relative_error;
using testing::rule_input;

constexpr std::int64_t kChannels = 32;
constexpr std::int64_t kTimeDim = 16;
constexpr std::int64_t kNormGroups = 8;
/// As many frames as are computed in several parts, of which each clip of the batch has some.
constexpr std::int64_t kFrames = 136;
constexpr double kFp32 = 1e-5;

class UNetPartsTest : public ::testing::Test {
 protected:
  template <typename Layer>
  void expect_the_whole(const Layer& layer, const std::function<at::Tensor()>& result) const {
    ASSERT_GT(static_cast<std::int64_t>(x_.nbytes()), nn::kPartBytes);
    testing::fill_by_rule(layer.named_parameters());
    const at::NoGradGuard no_grad;
    const at::Tensor in_parts = result();
    const c10::AutoGradMode with_gradients(true);
    const at::Tensor whole = result();
    EXPECT_EQ(in_parts.sizes(), whole.sizes());
    EXPECT_LT(relative_error(in_parts, whole.detach()), kFp32);
  }

  at::Tensor x_ = rule_input("x", {2, kFrames, 24, 24, kChannels});
};

TEST_F(UNetPartsTest, ResidualBlock) {
  const ResBlock block(3 * kChannels, kChannels, kTimeDim, kNormGroups, at::TensorOptions());
  const at::Tensor beside = rule_input("beside", {2, kFrames, 24, 24, 2 * kChannels});
  const at::Tensor time = rule_input("time", {2, kTimeDim});
  expect_the_whole(block, [&] { return block(x_, beside, time); });
  EXPECT_LT(relative_error(block(x_, beside, time), block(at::cat({x_, beside}, -1), {}, time)), kFp32);
}

TEST_F(UNetPartsTest, ChangesOfResolution) {
  const Upsample upsample(kChannels, at::TensorOptions());
  expect_the_whole(upsample, [&] { return upsample(x_); });
  const Downsample downsample(kChannels, at::TensorOptions());
  expect_the_whole(downsample, [&] { return downsample(x_); });
}

TEST_F(UNetPartsTest, SpatialTransformer) {
  constexpr std::int64_t kContextDim = 16;
  const SpatialTransformer spatial(kChannels, kContextDim, 16, kNormGroups, at::TensorOptions());
  expect_the_whole(spatial, [&] {
    return spatial(x_, spatial.project_context(rule_input("context", {2, 7, kContextDim})));
  });
}

TEST_F(UNetPartsTest, TemporalTransformer) {
  UNetConfig config;
  config.head_dim = 16;
  config.norm_groups = kNormGroups;
  const TemporalTransformer temporal(kChannels, kChannels, config, at::TensorOptions());
  expect_the_whole(temporal, [&] { return temporal(x_); });
}

}  // namespace
}  // namespace unianimate::models
