#include "unianimate/nn/ops/ops.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "nn/ops/gradients.h"
#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/nn/ops/attention.h"
#include "unianimate/nn/ops/causal_convolution.h"
#include "unianimate/nn/ops/convolution.h"
#include "unianimate/nn/ops/gated_gelu.h"
#include "unianimate/nn/ops/group_norm.h"
#include "unianimate/nn/ops/in_floats.h"
#include "unianimate/nn/ops/int8.h"
#include "unianimate/nn/ops/layer_norm.h"
#include "unianimate/nn/ops/linear.h"
#include "unianimate/nn/ops/residual.h"
#include "unianimate/nn/ops/selective_scan.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

constexpr auto kCpu = static_cast<KernelDevice>(at::kCPU);

bool is_aten(const Ops& ops) {
  return ops.attention == nullptr && ops.group_norm == nullptr && ops.gated_gelu == nullptr && ops.linear == nullptr;
}

TEST(OpsFor, TensorsThatKernelsDoNotTakeIsATen) {
  EXPECT_TRUE(is_aten(ops_for(at::zeros({2}, at::kDouble))));
  EXPECT_TRUE(is_aten(ops_for(at::zeros({2}, at::kHalf))));
  EXPECT_TRUE(is_aten(ops_for(at::zeros({2}, at::kLong))));
  EXPECT_TRUE(is_aten(ops_for(at::zeros({0, 2}))));
}

TEST(OpsFor, TensorsThatNeedAGradientIsATenUnlessNobodyKeepsIt) {
  const at::Tensor x = at::zeros({2});
  const at::Tensor tracked = at::zeros({2}).requires_grad_();
  EXPECT_NE(ops_for(x).linear, nullptr);
  EXPECT_NE(ops_for(x, {at::Tensor(), x}).linear, nullptr) << "undefined tensors need no gradient";
  EXPECT_TRUE(is_aten(ops_for(tracked)));
  EXPECT_TRUE(is_aten(ops_for(x, {tracked})));
  const c10::AutoGradMode no_gradients(false);
  EXPECT_NE(ops_for(tracked, {tracked}).linear, nullptr);
}

/// ATen's threads while it lives.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { at::set_num_threads(before_); }

 private:
  int before_;
};

TEST(OnAtenThreads, GivesEachThreadItsPart) {
#ifdef __clang__
  GTEST_SKIP() << "this compiler's OpenMP is not the one that ATen's threads are of";
#endif
  const Threads four(4);
  std::array<std::thread::id, 4> computed_by;
  on_aten_threads(4, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      computed_by.at(static_cast<std::size_t>(i)) = std::this_thread::get_id();
  });
  EXPECT_EQ(std::set(computed_by.begin(), computed_by.end()).size(), 4U);
}

/// Each operation against what ATen makes of it, which is what a row without operations leaves to it.
class AgainstATen : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  [[nodiscard]] KernelElement element() const {
    return GetParam() == at::kFloat ? KernelElement::kFloat : KernelElement::kBFloat16;
  }
  [[nodiscard]] at::Tensor input(const char* name, at::IntArrayRef shape) const {
    return rule_input(name, shape).to(GetParam());
  }

  template <typename Compute>
  void expect_twins(const Compute& compute) const {
    const at::Tensor own = compute();
    const Ops row = ops_for(at::zeros({1}, GetParam()));
    register_ops(kCpu, element(), {});
    const at::Tensor twin = compute();
    register_ops(kCpu, element(), row);
    EXPECT_LE(relative_error(own, twin), GetParam() == at::kFloat ? 1e-6 : 1e-2);
    EXPECT_TRUE(at::equal(compute(), own)) << "the row is back";
  }

  /// And that kernels compute the same bits on any number of threads.
  template <typename Compute>
  void expect_kernel_twins(const Compute& compute) const {
    expect_twins(compute);
    expect_same_on_any_threads(compute);
  }
  template <typename Compute>
  void expect_same_on_any_threads(const Compute& compute) const {
    const Threads one(1);
    const at::Tensor alone = compute();
    for (const int count : {2, 3}) {
      const Threads several(count);
      EXPECT_TRUE(at::equal(compute(), alone)) << count << " threads";
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Formats, AgainstATen, ::testing::Values(at::kFloat, at::kBFloat16));

TEST_P(AgainstATen, Attention) {
  const at::Tensor q = input("q", {2, 37, 3, 64});
  const at::Tensor k = input("k", {2, 21, 3, 64});
  const at::Tensor v = input("v", {2, 21, 3, 64});
  expect_kernel_twins([&] { return attention(q, k, v); });
  const at::Tensor clip = input("clip", {2, 9, 5, 2, 32});
  expect_kernel_twins([&] { return frame_attention(clip, clip, clip); });
}

TEST_P(AgainstATen, GroupNorm) {
  const at::Tensor x = input("x", {2, 5, 7, 40});
  const at::Tensor weight = input("weight", {40});
  const at::Tensor bias = input("bias", {40});
  for (const bool silu : {false, true}) {
    expect_kernel_twins([&] { return group_norm(x, 8, weight, bias, 1e-5, silu); });
  }
  const at::Tensor long_clip = input("long", {2, 1500, 40});
  expect_kernel_twins([&] { return group_norm(long_clip, 8, weight, bias, 1e-5, true); });
}

TEST_P(AgainstATen, GatedGelu) {
  const at::Tensor x = input("x", {3, 17, 48});
  expect_kernel_twins([&] { return gated_gelu(x); });
}

/// All in one row, as what is computed is compared.
at::Tensor joined(const std::vector<at::Tensor>& gradients) {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& gradient : gradients) rows.push_back(gradient.to(at::kFloat).flatten());
  return at::cat(rows);
}

TEST_P(AgainstATen, Gradients) {
  const at::Tensor long_clip = as_leaf(input("long", {2, 1500, 40}));
  const at::Tensor weight = as_leaf(1 + input("weight", {40}));
  const at::Tensor bias = as_leaf(input("bias", {40}));
  expect_kernel_twins([&] {
    const at::Tensor normed = group_norm(long_clip, 8, weight, bias, 1e-5, true);
    return joined(gradients_of(normed, {long_clip, weight, bias}));
  });
  const at::Tensor rows = as_leaf(input("rows", {3, 17, 48}));
  expect_kernel_twins([&] { return gradients_of(gated_gelu(rows), {rows})[0]; });
  const at::Tensor clip = as_leaf(input("clip", {2, 9, 5, 2, 24}));
  expect_kernel_twins([&] { return frame_attention(clip, clip, clip).detach(); });
  expect_kernel_twins([&] { return gradients_of(frame_attention(clip, clip, 2 * clip), {clip})[0]; });
  const SelectiveScan scan{.x = as_leaf(input("x", {2, 6, 45, 20})),
                           .step = input("step", {2, 6, 45, 20}),
                           .b = input("b", {2, 6, 45, 8}),
                           .c = input("c", {2, 6, 45, 8}),
                           .gate = input("gate", {2, 6, 45, 20}),
                           .step_bias = input("step_bias", {20}),
                           .a = as_leaf(-at::exp(rule_input("a", {20, 8}))),
                           .skip = input("skip", {20})};
  expect_kernel_twins([&] { return joined(gradients_of(selective_scan(scan), {scan.x, scan.a})); });
}

TEST_P(AgainstATen, CausalConvolution) {
  const at::Tensor x = input("x", {2, 6, 5, 80}).narrow(3, 0, 40);
  const at::Tensor weight = input("weight", {40, 1, 4});
  const at::Tensor bias = input("bias", {40});
  for (const bool reversed : {false, true}) {
    expect_kernel_twins([&] { return causal_convolution(x, weight, bias, reversed); });
  }
  expect_kernel_twins([&] { return causal_convolution(x, weight, bias, false, input("before", {2, 3, 5, 40})); });
}

TEST_P(AgainstATen, SelectiveScan) {
  for (const std::int64_t states : {3, 4, 8, 16}) {
    const at::Tensor columns = input("columns", {2, 37, 3, 2 * states});
    const SelectiveScan scan{.x = input("x", {2, 37, 3, 40}),
                             .step = input("step", {2, 37, 3, 40}),
                             .b = columns.narrow(3, 0, states),
                             .c = columns.narrow(3, states, states),
                             .gate = input("gate", {2, 37, 3, 40}),
                             .step_bias = input("step_bias", {40}),
                             .a = -at::exp(rule_input("a", {40, states})),
                             .skip = rule_input("skip", {40})};
    for (const bool reversed : {false, true}) {
      SelectiveScan turned = scan;
      turned.reversed = reversed;
      expect_kernel_twins([&] { return selective_scan(turned); });
      turned.gate = at::Tensor();
      expect_kernel_twins([&] {
        ScanHandover handover{.start = rule_input("start", {2, 3, states, 40}), .keep_after = 30, .kept = {}};
        const at::Tensor out = selective_scan(turned, &handover);
        return at::cat({out.flatten(), handover.kept.to(out.scalar_type()).flatten()});
      });
    }
  }
}

TEST(SelectiveScanKernel, StepsOfAllSizesAreSoftplus) {
  const at::Tensor step = at::cat({at::linspace(-80, 80, 64), at::linspace(-6, 6, 64)}).view({1, 1, 8, 16});
  const at::Tensor ones = at::ones({1, 1, 8, 16});
  // One state that keeps everything makes of the step what comes out.
  const SelectiveScan scan{.x = ones,
                           .step = step,
                           .b = at::ones({1, 1, 8, 4}) * 0.25,
                           .c = at::ones({1, 1, 8, 4}),
                           .gate = {},
                           .step_bias = at::zeros({16}),
                           .a = -at::ones({16, 4}),
                           .skip = at::zeros({16})};
  const at::Tensor expected = at::log1p(at::exp(step.to(at::kDouble)));
  EXPECT_LE(((selective_scan(scan) - expected) / expected).abs().max().item<double>(), 1e-5);
}

TEST_P(AgainstATen, Linear) {
  const at::Tensor x = input("x", {3, 7, 48});
  const at::Tensor weight = input("weight", {20, 48});
  expect_twins([&] { return linear(x, weight, at::Tensor()); });
  const at::Tensor bias = input("bias", {20});
  expect_twins([&] { return linear(x, weight, bias); });
  const at::Tensor residual = input("residual", {3, 7, 20});
  expect_twins([&] { return linear(x, weight, bias, residual); });
  expect_twins([&] { return linear(x, weight, at::Tensor(), residual); });
}

TEST_P(AgainstATen, LayerNorm) {
  // Around the partial sums of 64 channels, and far from zero.
  for (const std::int64_t channels : {1, 48, 64, 200, 320}) {
    const at::Tensor x = input("x", {3, 7, channels}) + 4;
    const at::Tensor weight = input("weight", {channels});
    const at::Tensor bias = input("bias", {channels});
    expect_kernel_twins([&] { return layer_norm(x, weight, bias, 1e-5); });
    const at::Tensor added = input("added", {3, 7, channels});
    expect_kernel_twins([&] { return layer_norm_of_sum(x, added, weight, bias, 1e-5).normed; });
    expect_kernel_twins([&] { return layer_norm_of_sum(x, added, weight, bias, 1e-5).sum; });
  }
}

/// More than threads take at a time.
TEST_P(AgainstATen, Quantization) {
  const at::Tensor x = input("x", {3, 300, 321});
  expect_same_on_any_threads([&] { return quantize_activations(x).values; });
}

TEST_P(AgainstATen, Convolution) {
  const at::Tensor x = input("x", {2, 24, 32, 16}).permute({0, 3, 1, 2});
  const at::Tensor weight = input("weight", {20, 16, 3, 3});
  const at::Tensor bias = input("bias", {20});
  expect_twins([&] { return convolve(x, weight, at::Tensor(), {{1, 1}, {1, 1}}); });
  expect_twins([&] { return convolve(x, weight, bias, {{2, 2}, {1, 1}}); });
}

at::Tensor narrow_input(const char* name, at::IntArrayRef shape) {
  return rule_input(name, shape).to(at::kBFloat16);
}

TEST(LinearInFloats, IsThatOfFloatsHoweverManyRowsThereAre) {
  for (const auto& [rows, in, out] : {std::array<std::int64_t, 3>{1, 24, 8}, {600, 24, 8}, {3000, 8, 3001}}) {
    const at::Tensor x = narrow_input("x", {2, rows, in});
    const at::Tensor weight = narrow_input("weight", {out, in});
    const at::Tensor residual = narrow_input("residual", {2, rows, out});
    for (const at::Tensor& bias : {at::Tensor(), narrow_input("bias", {out})}) {
      const at::Tensor wide_bias = bias.defined() ? bias.to(at::kFloat) : bias;
      const at::Tensor y = linear_in_floats(x, weight, bias, {});
      EXPECT_EQ(y.scalar_type(), at::kBFloat16);
      const at::Tensor wide = one_dnn_linear(x.to(at::kFloat), weight.to(at::kFloat), wide_bias, {});
      EXPECT_LE(relative_error(y, wide), 2.5e-3);
      EXPECT_LE(relative_error(linear_in_floats(x, weight, bias, residual), wide + residual), 2.5e-3);
    }
  }
}

TEST(ConvolutionInFloats, IsThatOfFloatsWhereverItIsParted) {
  struct Parted {
    std::vector<std::int64_t> x;
    std::vector<std::int64_t> kernel;
    Convolution convolution;
  };
  const std::vector<Parted> cases{
      {{1, 5, 6, 4}, {3, 3}, {{1, 1}, {1, 1}}},      {{2, 30, 41, 4}, {3, 3}, {{1, 1}, {1, 1}}},
      {{2, 31, 60, 4}, {3, 3}, {{2, 2}, {1, 1}}},    {{1, 40, 50, 4}, {3, 3}, {{2, 2}, {0, 0}}},
      {{2, 16, 70, 4}, {3, 1}, {{1, 1}, {1, 0}}},    {{1, 1600, 1100, 8}, {3, 3}, {{1, 1}, {1, 1}}},
      {{1, 2500, 1100, 8}, {3, 3}, {{2, 2}, {1, 1}}}};
  for (const auto& [sizes, kernel, convolution] : cases) {
    const at::Tensor x = narrow_input("x", sizes).permute({0, 3, 1, 2});
    const at::Tensor weight = narrow_input("weight", {6, sizes[3], kernel[0], kernel[1]});
    for (const at::Tensor& bias : {at::Tensor(), narrow_input("bias", {6})}) {
      const at::Tensor wide_bias = bias.defined() ? bias.to(at::kFloat) : bias;
      const at::Tensor y = convolution_in_floats(x, weight, bias, convolution);
      EXPECT_EQ(y.scalar_type(), at::kBFloat16);
      EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
      const at::Tensor twin = convolve(x.to(at::kFloat), weight.to(at::kFloat), wide_bias, convolution);
      ASSERT_EQ(y.sizes(), twin.sizes());
      EXPECT_LE((y.to(at::kFloat) - twin).abs().max().item<float>(), 1e-2 * twin.abs().max().item<float>())
          << "rows of " << sizes[1];
      EXPECT_LE(relative_error(y, twin), 2.5e-3);
    }
  }
}

/// A device that has no memory, so that what a row is given can be looked at, and nothing is computed.
class MadeUpDevice : public ::testing::Test {
 protected:
  static constexpr auto kDevice = static_cast<KernelDevice>(at::kMeta);
  static inline AttentionProblem attention_seen_;
  static inline GroupNormProblem group_norm_seen_;
  static inline GatedGeluProblem gated_gelu_seen_;
  static inline LayerNormProblem layer_norm_seen_;
  static inline ResidualProblem residual_seen_;
  static inline int linear_calls_ = 0;

  void SetUp() override {
    register_ops(kDevice, KernelElement::kHalf,
                 {.takes_attention = [](const AttentionProblem& problem) { return problem.dim == 8; },
                  .attention = [](const AttentionProblem& problem, const ParallelFor&) { attention_seen_ = problem; },
                  .group_norm = [](const GroupNormProblem& problem, const ParallelFor&) { group_norm_seen_ = problem; },
                  .gated_gelu = [](const GatedGeluProblem& problem, const ParallelFor&) { gated_gelu_seen_ = problem; },
                  .layer_norm = [](const LayerNormProblem& problem, const ParallelFor&) { layer_norm_seen_ = problem; },
                  .residual = [](const ResidualProblem& problem, const ParallelFor&) { residual_seen_ = problem; },
                  .linear =
                      [](const at::Tensor& x, const at::Tensor& weight, const at::Tensor&, const at::Tensor&) {
                        ++linear_calls_;
                        return x.new_empty({x.size(0), weight.size(0)});
                      }});
  }
  void TearDown() override { register_ops(kDevice, KernelElement::kHalf, {}); }

  static at::Tensor tensor(at::IntArrayRef shape, at::ScalarType dtype = at::kHalf) {
    return at::empty(shape, at::TensorOptions(dtype).device(at::kMeta));
  }
};

TEST_F(MadeUpDevice, ComputesWhatItsRowNamesInItsFormat) {
  const at::Tensor q = tensor({2, 5, 3, 8});
  const at::Tensor k = tensor({2, 4, 3, 8});
  EXPECT_EQ(attention(q, k, k).sizes(), q.sizes());
  EXPECT_EQ(attention_seen_.queries, 5);
  EXPECT_EQ(attention_seen_.keys, 4);
  EXPECT_EQ(attention_seen_.k.row, 3 * 8);
  EXPECT_EQ(group_norm(tensor({2, 6, 7, 16}), 4, tensor({16}), tensor({16}), 1e-5, true).dim(), 4);
  EXPECT_EQ(group_norm_seen_.rows, 42);
  EXPECT_TRUE(group_norm_seen_.silu);
  group_norm(tensor({6, 7, 16}), 4, tensor({16}), tensor({16}), 1e-5, true, tensor({2, 16}));
  EXPECT_EQ(group_norm_seen_.images_per_shift, 3);
  EXPECT_EQ(layer_norm_of_sum(tensor({3, 5, 8}), tensor({3, 5, 8}), tensor({8}), tensor({8}), 1e-5).sum.dim(), 3);
  EXPECT_EQ(layer_norm_seen_.rows, 15);
  EXPECT_EQ(layer_norm(tensor({4, 8}), tensor({8}), tensor({8}), 1e-5).dim(), 2);
  EXPECT_EQ(layer_norm_seen_.rows, 4);
  EXPECT_TRUE(leaves_bias(tensor({3, 8}), {}));
  EXPECT_EQ(add_residual(tensor({3, 5, 8}), tensor({8}), tensor({3, 5, 8})).dim(), 3);
  EXPECT_EQ(residual_seen_.rows, 15);
  EXPECT_EQ(gated_gelu(tensor({3, 12})).size(1), 6);
  EXPECT_EQ(gated_gelu_seen_.width, 6);
  EXPECT_EQ(linear(tensor({3, 12}), tensor({5, 12}), at::Tensor()).size(1), 5);
  EXPECT_EQ(linear_calls_, 1);
}

TEST_F(MadeUpDevice, LeavesOtherFormatsToATen) {
  gated_gelu_seen_ = {};
  EXPECT_EQ(gated_gelu(tensor({3, 12}, at::kFloat)).size(1), 6);
  EXPECT_EQ(gated_gelu_seen_.width, 0);
}

TEST(RegisterOps, IsFoundByLibrariesThatAreLoaded) {
  EXPECT_NE(::dlsym(RTLD_DEFAULT, "_ZN10unianimate2nn12register_opsEiNS0_13KernelElementERKNS0_3OpsE"), nullptr);
}

TEST(RegisterOps, HeadsThatARowDoesNotTakeGoToATen) {
  static int asked = 0;
  register_ops(kCpu, KernelElement::kHalf,
               {.takes_attention = [](const AttentionProblem&) { return ++asked < 0; },
                .attention = [](const AttentionProblem&, const ParallelFor&) { FAIL() << "it does not take them"; }});
  const at::Tensor q = rule_input("q", {1, 4, 2, 8}).to(at::kHalf);
  EXPECT_EQ(attention(q, q, q).sizes(), q.sizes());
  EXPECT_EQ(asked, 1);
  register_ops(kCpu, KernelElement::kHalf, {});
}

}  // namespace
}  // namespace unianimate::nn
