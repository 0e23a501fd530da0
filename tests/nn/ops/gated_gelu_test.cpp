#include "unianimate/nn/ops/gated_gelu.h"

#include <gtest/gtest.h>

#include <vector>

#include "nn/ops/gradients.h"
#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

TEST(GatedGelu, MatchesTheDefinition) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = (6 * rule_input("x", {3, 50, 48})).to(dtype);
    const std::vector<at::Tensor> halves = x.to(at::kDouble).chunk(2, -1);
    EXPECT_LE(relative_error(gated_gelu(x), halves[0] * at::gelu(halves[1])), dtype == at::kFloat ? 1e-6 : 5e-3);
  }
}

TEST(GatedGelu, LargeGatesPassOrBlock) {
  const at::Tensor x = at::tensor({1.0F, 1.0F, 1.0F, 1.0F, 1e4F, -1e4F, 30.0F, -30.0F}).view({1, 8});
  EXPECT_TRUE(at::equal(gated_gelu(x), at::tensor({1e4F, -0.0F, 30.0F, -0.0F}).view({1, 4})));
}

TEST(GatedGelu, HasTheGradientOfTheDefinition) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = (6 * rule_input("x", {3, 50, 48})).to(dtype);
    const auto gradient = [&](at::ScalarType type, const auto& gelu) {
      // The second of two halves, so that the kernel has to make it dense.
      const at::Tensor leaf = as_leaf(at::cat({x, x}, 2).to(type));
      return gradients_of(gelu(leaf.narrow(2, 48, 48)), {leaf})[0];
    };
    const at::Tensor expected = gradient(at::kDouble, [](const at::Tensor& leaf) {
      const std::vector<at::Tensor> halves = leaf.chunk(2, -1);
      return halves[0] * at::gelu(halves[1]);
    });
    EXPECT_LE(relative_error(gradient(dtype, gated_gelu), expected), dtype == at::kFloat ? 1e-6 : 5e-3);
    EXPECT_EQ(has_gradients_by_kernel(gated_gelu(as_leaf(x))),
              ops_with_gradients_for(x).gated_gelu_gradients != nullptr);
  }
}

}  // namespace
}  // namespace unianimate::nn
