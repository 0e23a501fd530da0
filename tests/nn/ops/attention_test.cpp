#include "unianimate/nn/ops/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "nn/ops/gradients.h"
#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/nn/ops/avx512.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

/// The definition, in double: (N, L, heads, D).
at::Tensor brute_force(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal = false) {
  const auto heads_first = [](const at::Tensor& x) { return x.to(at::kDouble).transpose(1, 2); };
  at::Tensor scores =
      at::matmul(heads_first(q), heads_first(k).transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
  if (causal) {
    const at::Tensor future = at::ones({q.size(1), q.size(1)}, at::kBool).triu(1);
    scores.masked_fill_(future, -INFINITY);
  }
  return at::matmul(at::softmax(scores, -1), heads_first(v)).transpose(1, 2);
}

struct Case {
  std::int64_t batch, queries, keys, heads, dim;
};

class AttentionSizes : public ::testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] at::Tensor input(const char* name, std::int64_t length) const {
    const Case& size = GetParam();
    return 2 * rule_input(name, {size.batch, length, size.heads, size.dim});
  }
};

// Lengths around the blocks of the kernel (6, 16, 48, 128, 2016), head sizes it takes and leaves to ATen.
INSTANTIATE_TEST_SUITE_P(Sizes, AttentionSizes,
                         ::testing::Values(Case{1, 1, 1, 1, 64}, Case{2, 9, 9, 5, 64}, Case{3, 33, 33, 8, 64},
                                           Case{1, 16, 15, 2, 32}, Case{1, 5, 17, 3, 128}, Case{2, 130, 129, 2, 64},
                                           Case{1, 300, 81, 5, 64}, Case{1, 2100, 257, 1, 64}, Case{2, 7, 6, 2, 8},
                                           Case{1, 50, 50, 1, 512}, Case{1, 40, 260, 2, 96}, Case{2, 9, 9, 2, 80},
                                           Case{2, 9, 9, 2, 24}, Case{1, 64, 63, 2, 250}));

TEST_P(AttentionSizes, Fp32MatchesTheDefinition) {
  const at::Tensor q = input("q", GetParam().queries);
  const at::Tensor k = input("k", GetParam().keys);
  const at::Tensor v = input("v", GetParam().keys);
  EXPECT_LE(relative_error(attention(q, k, v), brute_force(q, k, v)), 1e-6);
}

TEST_P(AttentionSizes, Bf16MatchesTheDefinition) {
  const at::Tensor q = input("q", GetParam().queries).to(at::kBFloat16);
  const at::Tensor k = input("k", GetParam().keys).to(at::kBFloat16);
  const at::Tensor v = input("v", GetParam().keys).to(at::kBFloat16);
  EXPECT_LE(relative_error(attention(q, k, v), brute_force(q, k, v)), 5e-3);
}

/// Both kernels for bf16, of which a processor uses the quicker one.
TEST_P(AttentionSizes, EveryKernelForBf16MatchesTheDefinition) {
  const at::Tensor q = input("q", GetParam().queries).to(at::kBFloat16);
  const at::Tensor k = input("k", GetParam().keys).to(at::kBFloat16);
  const at::Tensor v = input("v", GetParam().keys).to(at::kBFloat16);
  const Ops row = ops_for(q);
  if (row.attention == nullptr) GTEST_SKIP() << "this processor has no AVX-512";
  std::vector kernels{avx512_attention_bf16_widened};
  if (__builtin_cpu_supports("avx512bf16")) kernels.push_back(avx512_attention_bf16);
  constexpr auto kCpu = static_cast<KernelDevice>(at::kCPU);
  for (const auto kernel : kernels) {
    Ops with_kernel = row;
    with_kernel.attention = kernel;
    register_ops(kCpu, KernelElement::kBFloat16, with_kernel);
    EXPECT_LE(relative_error(attention(q, k, v), brute_force(q, k, v)), 5e-3);
  }
  register_ops(kCpu, KernelElement::kBFloat16, row);
}

TEST(Attention, KeysFarBelowTheBestWeighNothing) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor q = at::ones({1, 9, 1, 64}, dtype);
    at::Tensor k = at::zeros({1, 20, 1, 64}, dtype);
    k.select(1, 3).fill_(100);
    const at::Tensor v = rule_input("v", {1, 20, 1, 64}).to(dtype);
    EXPECT_TRUE(at::equal(attention(q, k, v), v.narrow(1, 3, 1).expand({1, 9, 1, 64})));
  }
}

TEST(Attention, NoNumbersAreNotHidden) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    at::Tensor q = rule_input("q", {1, 9, 1, 64}).to(dtype);
    q.select(1, 4).select(2, 0).fill_(NAN);
    const at::Tensor v = rule_input("v", {1, 20, 1, 64}).to(dtype);
    const at::Tensor bad = attention(q, v, v).isnan().all(3).flatten();
    EXPECT_TRUE(bad[4].item<bool>());
    EXPECT_EQ(bad.sum().item<std::int64_t>(), 1);
  }
}

TEST(Attention, LargeScoresStayFinite) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor q = (200 * rule_input("q", {1, 40, 1, 64})).to(dtype);
    const at::Tensor v = rule_input("v", {1, 40, 1, 64}).to(dtype);
    const at::Tensor out = attention(q, q, v);
    EXPECT_TRUE(at::isfinite(out).all().item<bool>());
    EXPECT_LE(relative_error(out, brute_force(q, q, v)), 1e-2);
  }
}

TEST(Attention, CausalSeesOnlyThePast) {
  const at::Tensor q = rule_input("q", {2, 77, 4, 16});
  const at::Tensor k = rule_input("k", {2, 77, 4, 16});
  const at::Tensor v = rule_input("v", {2, 77, 4, 16});
  EXPECT_LE(relative_error(attention(q, k, v, true), brute_force(q, k, v, true)), 1e-6);
}

TEST(Attention, TakesStridedViews) {
  const at::Tensor qkv = rule_input("qkv", {2, 50, 3, 4, 64});
  const at::Tensor q = qkv.select(2, 0);
  const at::Tensor k = qkv.select(2, 1);
  const at::Tensor v = qkv.select(2, 2);
  EXPECT_LE(relative_error(attention(q, k, v), brute_force(q, k, v)), 1e-6);
}

TEST(FrameAttention, IsAttentionAlongTheFramesAtEveryPixel) {
  for (const std::int64_t dim : {8, 64}) {
    const at::Tensor q = rule_input("q", {2, 9, 7, 2, dim});
    const at::Tensor k = rule_input("k", {2, 9, 7, 2, dim});
    const at::Tensor v = rule_input("v", {2, 9, 7, 2, dim});
    const at::Tensor found = frame_attention(q, k, v);
    for (std::int64_t b = 0; b < 2; ++b) {
      const auto pixels_first = [&](const at::Tensor& x) { return x[b].transpose(0, 1); };
      const at::Tensor expected = brute_force(pixels_first(q), pixels_first(k), pixels_first(v));
      EXPECT_LE(relative_error(pixels_first(found), expected), 1e-6) << dim;
    }
  }
}

/// By q, k and v, which are views of (B, F, P, 3, heads, D).
template <typename Attention>
std::vector<at::Tensor> frame_gradients(const at::Tensor& qkv, const Attention& attend) {
  const at::Tensor leaf = as_leaf(qkv);
  const at::Tensor gradient = gradients_of(attend(leaf.select(3, 0), leaf.select(3, 1), leaf.select(3, 2)), {leaf})[0];
  return {gradient.select(3, 0), gradient.select(3, 1), gradient.select(3, 2)};
}

TEST(FrameAttention, HasGradientsByItsKernelWhereThereIsOne) {
  for (const std::int64_t frames : {64, 65}) {
    const at::Tensor clip = as_leaf(rule_input("clip", {1, frames, 2, 1, 24}));
    const Ops& ops = ops_with_gradients_for(clip);
    EXPECT_EQ(has_gradients_by_kernel(frame_attention(clip, clip, clip)),
              frames == 64 && ops.attention_gradients != nullptr);
  }
  // Of k alone.
  const at::Tensor q = rule_input("q", {1, 9, 2, 1, 24});
  const at::Tensor k = as_leaf(rule_input("k", {1, 9, 2, 1, 24}));
  const at::Tensor all = as_leaf(at::stack({q, k.detach(), q}, 3));
  const at::Tensor of_all =
      gradients_of(frame_attention(all.select(3, 0), all.select(3, 1), all.select(3, 2)), {all})[0];
  EXPECT_TRUE(at::equal(gradients_of(frame_attention(q, k, q), {k})[0], of_all.select(3, 1)));
}

TEST(FrameAttention, LargestScoresStayNumbersWhateverTheHeadSize) {
  const at::Tensor clip = 1e6 * rule_input("clip", {1, 9, 2, 1, 24});
  EXPECT_TRUE(at::isfinite(frame_attention(clip, clip, clip)).all().item<bool>());
  for (const at::Tensor& gradient : frame_gradients(at::stack({clip, clip, clip}, 3), frame_attention)) {
    EXPECT_TRUE(at::isfinite(gradient).all().item<bool>());
  }
}

TEST(FrameAttention, GradientsAreThoseOfTheDefinition) {
  // Lengths and head sizes around the vectors of the kernel, and longer ones, which ATen takes.
  for (const auto& [frames, dim] :
       {std::pair{1, 1}, {5, 64}, {9, 24}, {16, 16}, {17, 40}, {33, 64}, {64, 8}, {65, 8}}) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      const at::Tensor qkv = (2 * rule_input("qkv", {2, frames, 3, 3, 2, dim})).to(dtype);
      const auto found = frame_gradients(qkv, frame_attention);
      const auto expected =
          frame_gradients(qkv.to(at::kDouble), [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
            std::vector<at::Tensor> clips;
            for (std::int64_t b = 0; b < q.size(0); ++b) {
              const auto pixels_first = [&](const at::Tensor& x) { return x[b].transpose(0, 1); };
              clips.push_back(brute_force(pixels_first(q), pixels_first(k), pixels_first(v)).transpose(0, 1));
            }
            return at::stack(clips);
          });
      for (std::size_t i = 0; i < found.size(); ++i) {
        const double distance = (found[i].to(at::kDouble) - expected[i]).norm().item<double>();
        // One frame attends to itself whatever q and k are.
        const double size = frames == 1 && i < 2 ? 1 : expected[i].norm().item<double>();
        EXPECT_LE(distance, (dtype == at::kFloat ? 3e-6 : 2e-2) * size)
            << frames << " frames, heads of " << dim << ", " << dtype << ", input " << i;
      }
    }
  }
}

TEST(FrameAttention, DoesNotHideWhatIsNoNumberFromTheGradients) {
  at::Tensor qkv = rule_input("qkv", {1, 9, 3, 3, 2, 24});
  qkv[0][4][1][0][1][7].fill_(NAN);
  const std::vector<at::Tensor> found = frame_gradients(qkv, frame_attention);
  EXPECT_TRUE(found[2].select(2, 1).select(2, 1).isnan().all().item<bool>());
  EXPECT_FALSE(found[2].select(2, 0).isnan().any().item<bool>());
}

}  // namespace
}  // namespace unianimate::nn
