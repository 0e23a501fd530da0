#include "unianimate/nn/ops/winograd.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <tuple>
#include <vector>

#include "support/rule.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {
namespace {

struct Processor {
  std::string name;
  bool is_here;
  WinogradTiles tiles;
};

std::vector<Processor> processors() {
  return {
      {"AVX2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), avx2_winograd_tiles()},
      {"AVX-512", __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"), avx512_winograd_tiles()}};
}

struct ConvolutionCase {
  std::vector<std::int64_t> sizes;  ///< N, h, w, in
  std::int64_t out;
  std::array<std::int64_t, 2> kernel;
  Convolution convolution;
};

const std::vector<ConvolutionCase>& convolution_cases() {
  static const std::vector<ConvolutionCase> kCases{
      {{1, 1, 1, 16}, 16, {3, 3}, {{1, 1}, {1, 1}}},    {{2, 5, 7, 32}, 48, {3, 3}, {{1, 1}, {1, 1}}},
      {{1, 8, 6, 64}, 336, {3, 3}, {{1, 1}, {1, 1}}},   {{1, 9, 12, 16}, 32, {3, 3}, {{1, 1}, {0, 1}}},
      {{1, 6, 5, 16}, 16, {3, 3}, {{1, 1}, {0, 0}}},    {{2, 9, 33, 48}, 32, {3, 1}, {{1, 1}, {1, 0}}},
      {{1, 1, 40, 16}, 16, {3, 1}, {{1, 1}, {1, 0}}},   {{1, 33, 96, 320}, 320, {3, 1}, {{1, 1}, {1, 0}}},
      {{3, 30, 41, 128}, 64, {3, 3}, {{1, 1}, {1, 1}}}, {{1, 24, 25, 640}, 16, {3, 3}, {{1, 1}, {1, 1}}}};
  return kCases;
}

TEST(Winograd, IsTheConvolutionOfDoublesToTheRoundingOfFloats) {
  for (const auto& [sizes, out, kernel, convolution] : convolution_cases()) {
    const at::Tensor x = testing::rule_input("x", sizes).permute({0, 3, 1, 2});
    const at::Tensor weight = testing::rule_input("weight", {out, sizes[3], kernel[0], kernel[1]});
    for (const at::Tensor& bias : {at::Tensor(), testing::rule_input("bias", {out})}) {
      ASSERT_TRUE(winograd_takes(weight, convolution));
      const at::Tensor right = at::conv2d(x.to(at::kDouble), weight.to(at::kDouble),
                                          bias.defined() ? std::optional(bias.to(at::kDouble)) : std::nullopt,
                                          convolution.stride, convolution.padding);
      for (const Processor& processor : processors()) {
        if (!processor.is_here) continue;
        const at::Tensor y = winograd_convolution(x, weight, bias, convolution, processor.tiles);
        ASSERT_EQ(y.sizes(), right.sizes());
        EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
        const double scale = right.square().mean().sqrt().item<double>();
        EXPECT_LE((y - right).abs().max().item<double>(), 1e-5 * scale)
            << processor.name << ", " << sizes[1] << "x" << sizes[2] << ", " << kernel[1] << " columns";
      }
    }
  }
}

TEST(Winograd, ThreadsAndOtherStridesChangeNoBit) {
  const int threads = at::get_num_threads();
  for (const auto& [sizes, out, kernel, convolution] : convolution_cases()) {
    const at::Tensor x = testing::rule_input("x", sizes).permute({0, 3, 1, 2});
    const at::Tensor weight = testing::rule_input("weight", {out, sizes[3], kernel[0], kernel[1]});
    for (const Processor& processor : processors()) {
      if (!processor.is_here) continue;
      at::set_num_threads(1);
      const at::Tensor one = winograd_convolution(x, weight, at::Tensor(), convolution, processor.tiles);
      at::set_num_threads(3);
      const at::Tensor three = winograd_convolution(x.contiguous(), weight.contiguous(at::MemoryFormat::ChannelsLast),
                                                    at::Tensor(), convolution, processor.tiles);
      at::set_num_threads(threads);
      EXPECT_TRUE(at::equal(one, three)) << processor.name << ", " << sizes[1] << "x" << sizes[2];
    }
  }
}

TEST(Winograd, TakesNoOtherConvolutions) {
  const auto takes = [](std::vector<std::int64_t> weight, const Convolution& convolution) {
    return winograd_takes(at::empty(weight), convolution);
  };
  EXPECT_TRUE(takes({16, 32, 3, 3}, {{1, 1}, {1, 1}}));
  EXPECT_FALSE(takes({16, 32, 3, 3}, {{2, 2}, {1, 1}}));
  EXPECT_FALSE(takes({16, 32, 1, 1}, {{1, 1}, {0, 0}}));
  EXPECT_FALSE(takes({16, 32, 1, 3}, {{1, 1}, {0, 1}}));
  EXPECT_FALSE(takes({4, 32, 3, 3}, {{1, 1}, {1, 1}}));
  EXPECT_FALSE(takes({16, 8, 3, 3}, {{1, 1}, {1, 1}}));
}

TEST(Winograd, ConvolutionsOfFloatsTakeItWhereThereIsEnoughToDo) {
  const Ops& ops = ops_for(testing::rule_input("x", {1}));
  if (ops.convolution == nullptr) GTEST_SKIP() << "this processor has no AVX2";
  const at::Tensor weight = testing::rule_input("weight", {32, 32, 3, 3});
  const Convolution convolution{{1, 1}, {1, 1}};
  const Processor processor = processors()[processors()[1].is_here ? 1 : 0];
  for (const std::int64_t side : {4, 40}) {
    const at::Tensor x = testing::rule_input("x", {1, side, side, 32}).permute({0, 3, 1, 2});
    const at::Tensor twin = side == 4 ? at::conv2d(x, weight, {}, 1, 1)
                                      : winograd_convolution(x, weight, at::Tensor(), convolution, processor.tiles);
    EXPECT_TRUE(at::equal(convolve(x, weight, at::Tensor(), convolution), twin)) << side;
  }
  EXPECT_THROW(convolve(testing::rule_input("x", {1, 32, 1, 600}), weight, at::Tensor(), {{1, 1}, {0, 0}}), c10::Error);
}

}  // namespace
}  // namespace unianimate::nn
