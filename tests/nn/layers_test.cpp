#include "unianimate/nn/layers.h"

#include <gtest/gtest.h>

#include "support/golden_file.h"
#include "support/rule.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

constexpr double kFp32 = 1e-6;
constexpr double kBf16 = 5e-3;

/// The layer's parameters by the rule; returns the one called `name`.
at::Tensor filled(const Module& module, const std::string& name) {
  testing::fill_by_rule(module.named_parameters());
  for (const auto& parameter : module.named_parameters()) {
    if (parameter.name == name) return parameter.tensor;
  }
  throw std::runtime_error("no parameter " + name);
}

at::Tensor brute_force_group_norm(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight,
                                  const at::Tensor& bias, double eps) {
  const at::Tensor grouped = x.to(at::kDouble).reshape({x.size(0), -1, groups, x.size(-1) / groups});
  const std::vector<std::int64_t> all{1, 3};
  const at::Tensor mean = grouped.mean(all, true);
  const at::Tensor variance = (grouped - mean).square().mean(all, true);
  const at::Tensor normed = ((grouped - mean) / (variance + eps).sqrt()).reshape(x.sizes());
  return normed * weight.to(at::kDouble) + bias.to(at::kDouble);
}

TEST(GroupNorm, MatchesTheDefinitionWithAndWithoutSilu) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const double tolerance = dtype == at::kFloat ? kFp32 : kBf16;
    const GroupNorm norm(8, 40, 1e-5, at::TensorOptions().dtype(dtype));
    const at::Tensor weight = filled(norm, "weight");
    const at::Tensor bias = filled(norm, "bias");
    // Frames by themselves, a clip jointly (more rows than one thread's chunk), channels far from zero mean.
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{3, 5, 7, 40}, {2, 9, 13, 11, 40}, {1, 1, 1, 40}}) {
      const at::Tensor x = (rule_input("x", shape) + 5 * rule_input("offset", {40})).to(dtype);
      const at::Tensor expected = brute_force_group_norm(x, 8, weight, bias, 1e-5);
      EXPECT_LE(relative_error(norm(x), expected), tolerance);
      EXPECT_LE(relative_error(norm.silu(x), at::silu(expected)), tolerance);
    }
  }
}

TEST(GroupNorm, ConstantInputGivesTheBias) {
  const GroupNorm norm(4, 16, 1e-6, at::TensorOptions());
  const at::Tensor bias = filled(norm, "bias");
  EXPECT_TRUE(at::allclose(norm(at::full({2, 300, 16}, 1000.0)), bias.expand({2, 300, 16}), 1e-5, 1e-5));
}

TEST(GroupNorm, WithAndWithoutGradientsAgree) {
  const GroupNorm norm(8, 32, 1e-5, at::TensorOptions());
  testing::fill_by_rule(norm.named_parameters());
  const at::Tensor x = rule_input("x", {2, 6, 5, 32});
  const at::Tensor tracked = x.clone().requires_grad_();
  EXPECT_LE(relative_error(norm.silu(x), norm.silu(tracked).detach()), kFp32);
}

TEST(GatedGelu, MatchesTheDefinition) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = (6 * rule_input("x", {3, 50, 48})).to(dtype);
    const std::vector<at::Tensor> halves = x.to(at::kDouble).chunk(2, -1);
    EXPECT_LE(relative_error(gated_gelu(x), halves[0] * at::gelu(halves[1])), dtype == at::kFloat ? kFp32 : kBf16);
  }
}

TEST(GatedGelu, LargeGatesPassOrBlock) {
  const at::Tensor x = at::tensor({1.0F, 1.0F, 1.0F, 1.0F, 1e4F, -1e4F, 30.0F, -30.0F}).view({1, 8});
  EXPECT_TRUE(at::equal(gated_gelu(x), at::tensor({1e4F, -0.0F, 30.0F, -0.0F}).view({1, 4})));
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
  EXPECT_LE(relative_error(conv(x), expected), kFp32);
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

TEST(UpsampleNearest, RepeatsEveryPixel) {
  const at::Tensor x = rule_input("x", {1, 2, 3, 2});
  EXPECT_TRUE(at::equal(upsample_nearest_2x(x), x.repeat_interleave(2, 1).repeat_interleave(2, 2)));
}

}  // namespace
}  // namespace unianimate::nn
