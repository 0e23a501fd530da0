#include "unianimate/nn/ops/group_norm.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "nn/ops/gradients.h"
#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

constexpr double kNormFp32 = 1e-6;
constexpr double kBf16 = 5e-3;

at::Tensor brute_force(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                       double eps) {
  const at::Tensor grouped = x.to(at::kDouble).reshape({x.size(0), -1, groups, x.size(-1) / groups});
  const std::vector<std::int64_t> all{1, 3};
  const at::Tensor mean = grouped.mean(all, true);
  const at::Tensor variance = (grouped - mean).square().mean(all, true);
  const at::Tensor normed = ((grouped - mean) / (variance + eps).sqrt()).reshape(x.sizes());
  return normed * weight.to(at::kDouble) + bias.to(at::kDouble);
}

TEST(GroupNorm, MatchesTheDefinitionWithAndWithoutSilu) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const double tolerance = dtype == at::kFloat ? kNormFp32 : kBf16;
    const at::Tensor weight = rule_input("weight", {40}).to(dtype);
    const at::Tensor bias = rule_input("bias", {40}).to(dtype);
    // Frames by themselves, a clip jointly (more rows than one thread's chunk), channels far from zero mean.
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{3, 5, 7, 40}, {2, 9, 13, 11, 40}, {1, 1, 1, 40}}) {
      const at::Tensor x = (rule_input("x", shape) + 5 * rule_input("offset", {40})).to(dtype);
      const at::Tensor expected = brute_force(x, 8, weight, bias, 1e-5);
      EXPECT_LE(relative_error(group_norm(x, 8, weight, bias, 1e-5, false), expected), tolerance);
      EXPECT_LE(relative_error(group_norm(x, 8, weight, bias, 1e-5, true), at::silu(expected)), tolerance);
    }
  }
}

TEST(GroupNorm, ConstantInputGivesTheBias) {
  const at::Tensor bias = rule_input("bias", {16});
  const at::Tensor x = at::full({2, 300, 16}, 1000.0);
  if (ops_for(x).group_norm == nullptr) GTEST_SKIP() << "ATen's variance is a difference of large numbers";
  const at::Tensor normed = group_norm(x, 4, at::ones({16}), bias, 1e-6, false);
  EXPECT_TRUE(at::allclose(normed, bias.expand({2, 300, 16}), 1e-5, 1e-5));
}

TEST(GroupNorm, WithAndWithoutGradientsAgree) {
  const at::Tensor weight = rule_input("weight", {32});
  const at::Tensor bias = rule_input("bias", {32});
  const at::Tensor x = rule_input("x", {2, 6, 5, 32});
  const at::Tensor tracked = x.clone().requires_grad_();
  const at::Tensor differentiable = group_norm(tracked, 8, weight, bias, 1e-5, true);
  EXPECT_TRUE(differentiable.requires_grad());
  EXPECT_LE(relative_error(group_norm(x, 8, weight, bias, 1e-5, true), differentiable.detach()), kNormFp32);
}

TEST(GroupNorm, HasTheGradientsOfTheDefinition) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const double tolerance = dtype == at::kFloat ? 3e-6 : 1e-2;
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{3, 5, 7, 40}, {2, 9, 13, 11, 40}, {1, 1, 1, 40}}) {
      for (const bool silu : {false, true}) {
        const std::array<at::Tensor, 3> inputs{(rule_input("x", shape) + 2 * rule_input("offset", {40})).to(dtype),
                                               (1 + rule_input("weight", {40})).to(dtype),
                                               rule_input("bias", {40}).to(dtype)};
        const auto gradients = [&](at::ScalarType type, const auto& norm) {
          std::vector<at::Tensor> leaves;
          for (const at::Tensor& input : inputs) leaves.push_back(as_leaf(input.to(type)));
          return gradients_of(norm(leaves[0], leaves[1], leaves[2]), leaves);
        };
        const auto found = gradients(dtype, [&](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
          return group_norm(x, 8, weight, bias, 1e-5, silu);
        });
        const auto expected =
            gradients(at::kDouble, [&](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
              const at::Tensor normed = brute_force(x, 8, weight, bias, 1e-5);
              return silu ? at::silu(normed) : normed;
            });
        for (std::size_t i = 0; i < found.size(); ++i) {
          EXPECT_EQ(found[i].sizes(), inputs.at(i).sizes());
          EXPECT_LE(relative_error(found[i], expected[i]), tolerance) << dtype << ", input " << i << ", silu " << silu;
        }
      }
    }
  }
}

TEST(GroupNorm, HasGradientsByItsKernelWhereThereIsOne) {
  const at::Tensor weight = rule_input("weight", {16});
  // Channels first, so that the kernel has to make it dense; gradients of x alone.
  const at::Tensor x = as_leaf(rule_input("x", {2, 16, 5, 6}));
  const at::Tensor normed = group_norm(x.permute({0, 2, 3, 1}), 4, weight, weight, 1e-5, true);
  EXPECT_EQ(has_gradients_by_kernel(normed), ops_with_gradients_for(x).group_norm_gradients != nullptr);
  const at::Tensor exact = as_leaf(x.to(at::kDouble));
  const at::Tensor defined = at::silu(brute_force(exact.permute({0, 2, 3, 1}), 4, weight, weight, 1e-5));
  EXPECT_LE(relative_error(gradients_of(normed, {x})[0], gradients_of(defined, {exact})[0]), 3e-6);
}

TEST(GroupNorm, DoesNotHideWhatIsNoNumberFromTheGradients) {
  at::Tensor x = rule_input("x", {2, 6, 16});
  x[1][3][5].fill_(NAN);
  const at::Tensor leaf = x.requires_grad_();
  const at::Tensor normed = group_norm(leaf, 4, at::ones({16}), at::zeros({16}), 1e-5, true);
  const at::Tensor gradient = torch::autograd::grad({normed.sum()}, {leaf})[0];
  EXPECT_TRUE(gradient[1].slice(1, 4, 8).isnan().all().item<bool>());
  EXPECT_FALSE(gradient[0].isnan().any().item<bool>());
}

}  // namespace
}  // namespace unianimate::nn
