#include "unianimate/nn/layers.h"

#include <gtest/gtest.h>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/nn/ops/group_norm.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

constexpr double kFp32 = 1e-6;

/// The layer's parameters by the rule; returns the one called `name`.
at::Tensor filled(const Module& module, const std::string& name) {
  testing::fill_by_rule(module.named_parameters());
  for (const auto& parameter : module.named_parameters()) {
    if (parameter.name == name) return parameter.tensor;
  }
  throw std::runtime_error("no parameter " + name);
}

TEST(GroupNorm, IsTheOperationWithItsParameters) {
  const GroupNorm norm(8, 40, 1e-5, at::TensorOptions());
  const at::Tensor weight = filled(norm, "weight");
  const at::Tensor bias = filled(norm, "bias");
  const at::Tensor x = rule_input("x", {3, 5, 7, 40});
  EXPECT_TRUE(at::equal(norm(x), group_norm(x, 8, weight, bias, 1e-5, false)));
  EXPECT_TRUE(at::equal(norm.silu(x), group_norm(x, 8, weight, bias, 1e-5, true)));
}

TEST(GroupNorm, TakesWhatAConvolutionLeavesAndAShift) {
  const GroupNorm norm(8, 40, 1e-5, at::TensorOptions());
  filled(norm, "weight");
  filled(norm, "bias");
  const at::Tensor x = rule_input("x", {6, 5, 7, 40});
  const at::Tensor bias = rule_input("bias of a convolution", {40});
  const at::Tensor shift = rule_input("shift", {2, 40});
  const at::Tensor of_images = shift.repeat_interleave(3, 0).view({6, 1, 1, 40});
  EXPECT_TRUE(at::equal(norm.silu({x, {}}), norm.silu(x)));
  EXPECT_TRUE(at::equal(norm.silu({x, {}}, shift), norm.silu(x + of_images)));
  EXPECT_LE(relative_error(norm.silu({x, bias}, shift), norm.silu(x + bias + of_images)), kFp32);
  EXPECT_TRUE(at::equal(norm.silu({x, bias}), norm.silu(x + bias)));
}

TEST(BeforeBias, EndsAResidualBranch) {
  const at::Tensor x = rule_input("x", {2, 3, 5, 4});
  const at::Tensor residual = rule_input("residual", {2, 3, 5, 4});
  const at::Tensor bias = rule_input("bias", {4});
  EXPECT_TRUE(at::equal(BeforeBias{x, {}} + residual, x + residual));
  EXPECT_TRUE(at::equal(BeforeBias{x.clone(), bias} + residual, x + bias + residual));
}

TEST(LayerNorm, GivesTheSumAndTheSumNormalised) {
  const LayerNorm norm(12, at::TensorOptions());
  filled(norm, "weight");
  filled(norm, "bias");
  const at::Tensor x = rule_input("x", {2, 3, 12});
  const at::Tensor added = rule_input("added", {2, 3, 12});
  const NormedSum result = norm.of_sum(x, added);
  EXPECT_TRUE(at::equal(result.sum, x + added));
  EXPECT_TRUE(at::equal(result.normed, norm(x + added)));
}

TEST(Linear, MatchesTheDefinitionWithAndWithoutGradients) {
  const Linear linear(48, 20, true, at::TensorOptions());
  const at::Tensor weight = filled(linear, "weight");
  const at::Tensor bias = filled(linear, "bias");
  const at::Tensor x = rule_input("x", {2, 7, 48});
  const at::Tensor expected = at::matmul(x.to(at::kDouble), weight.to(at::kDouble).t()) + bias.to(at::kDouble);
  EXPECT_LE(relative_error(linear(x), expected), kFp32);
  const at::Tensor tracked = x.clone().requires_grad_();
  const at::Tensor y = linear(tracked);
  EXPECT_TRUE(y.requires_grad());
  EXPECT_LE(relative_error(y.detach(), expected), kFp32);
}

TEST(FrameConv, IsAConvolutionOverTheFramesOnly) {
  const FrameConv conv(6, 5, at::TensorOptions());
  const at::Tensor weight = filled(conv, "weight");
  const at::Tensor bias = filled(conv, "bias");
  const at::Tensor x = rule_input("x", {2, 4, 3, 2, 6});
  const at::Tensor channels_second = x.permute({0, 4, 1, 2, 3}).to(at::kDouble);
  const at::Tensor expected =
      at::conv3d(channels_second, weight.to(at::kDouble).contiguous(), bias.to(at::kDouble), {1, 1, 1}, {1, 0, 0})
          .permute({0, 2, 3, 4, 1});
  const BeforeBias convolved = conv.before_bias(x);
  EXPECT_FALSE(convolved.bias.defined()) << "here a bias costs nothing";
  EXPECT_LE(relative_error(convolved.x, expected), kFp32);
}

TEST(Conv2d, TakesPicturesAndClips) {
  const Conv2d conv(3, 8, {.kernel = 3, .stride = 2, .padding = 1}, at::TensorOptions());
  const at::Tensor weight = filled(conv, "weight");
  const at::Tensor bias = filled(conv, "bias");
  const at::Tensor clip = rule_input("x", {2, 3, 9, 8, 3});
  const at::Tensor expected = at::conv2d(clip.flatten(0, 1).permute({0, 3, 1, 2}).to(at::kDouble).contiguous(),
                                         weight.to(at::kDouble).contiguous(), bias.to(at::kDouble), {2, 2}, {1, 1})
                                  .permute({0, 2, 3, 1});
  EXPECT_LE(relative_error(conv(clip.flatten(0, 1)), expected), kFp32);
  EXPECT_LE(relative_error(conv(clip), expected.unflatten(0, {2, 3})), kFp32);
}

TEST(Conv2d, TakesPicturesAndClipsThatAreEnlarged) {
  const Conv2d conv(3, 8, at::TensorOptions());
  filled(conv, "weight");
  filled(conv, "bias");
  const at::Tensor clip = rule_input("x", {2, 3, 4, 5, 3});
  const at::Tensor expected = conv(clip.repeat_interleave(2, 2).repeat_interleave(2, 3));
  EXPECT_LE(relative_error(conv.of_upsampled(clip), expected), kFp32);
  EXPECT_LE(relative_error(conv.of_upsampled(clip.flatten(0, 1)), expected.flatten(0, 1)), kFp32);
}

}  // namespace
}  // namespace unianimate::nn
