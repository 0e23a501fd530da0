// Products in 8 bits against the same numbers multiplied in double, and against the exact product.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/golden_file.h"
#include "support/quantization_count.h"
#include "support/rule.h"
#include "unianimate/nn/layers.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {
namespace {

using testing::fill_by_rule;
using testing::relative_error;
using testing::rule_input;

constexpr auto kProcessor = static_cast<KernelDevice>(at::kCPU);

/// The numbers that 8 bits stand for.
at::Tensor values_of(const Int8Activations& x) {
  return (x.values.to(at::kDouble) - static_cast<double>(x.zero)) * x.scale;
}

class Int8 : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  [[nodiscard]] at::Tensor input(const char* name, at::IntArrayRef shape) const {
    return rule_input(name, shape, -0.5, 2).to(GetParam());
  }
  /// Of the output's own rounding.
  [[nodiscard]] double tolerance() const { return GetParam() == at::kFloat ? 1e-6 : 3e-3; }
  c10::InferenceMode inference_;
};

INSTANTIATE_TEST_SUITE_P(Formats, Int8, ::testing::Values(at::kFloat, at::kBFloat16));

TEST_P(Int8, ActivationsAreHalfAStepOff) {
  // Longer than what one thread takes at a time, and no multiple of what is computed side by side.
  const at::Tensor x = input("x", {3, 30011});
  const Int8Activations quantized = quantize_activations(x);
  const at::Tensor exact = x.to(at::kDouble);
  EXPECT_NEAR(quantized.scale,
              (exact.max() - exact.min()).item<double>() / static_cast<double>(highest_int8_activation()), 1e-9);
  EXPECT_LE((values_of(quantized) - exact).abs().max().item<double>(), quantized.scale * 1.001)
      << "half a step, and half a step of the zero";
  EXPECT_EQ(quantized.values.max().item<int>(), highest_int8_activation());
  EXPECT_EQ(quantized.values.min().item<int>(), 0);
}

TEST_P(Int8, ActivationsOfATenAreTheSame) {
  const KernelElement element = GetParam() == at::kFloat ? KernelElement::kFloat : KernelElement::kBFloat16;
  const at::Tensor x = input("x", {5, 7, 33});
  const at::Tensor before = x.clone();
  const Int8Activations own = quantize_activations(x);
  const Ops row = ops_for(x);
  register_ops(kProcessor, element, {});
  const Int8Activations twin = quantize_activations(x);
  register_ops(kProcessor, element, row);
  EXPECT_TRUE(at::equal(x, before)) << "others still need it";
  EXPECT_EQ(own.scale, twin.scale);
  EXPECT_EQ(own.zero, twin.zero);
  EXPECT_LE((own.values.to(at::kInt) - twin.values.to(at::kInt)).abs().max().item<int>(), 1);
  EXPECT_LE((own.values != twin.values).sum().item<int>(), x.numel() / 500) << "what lies between two steps";
}

TEST_P(Int8, ActivationsOfOneSignKeepTheirZero) {
  for (const double sign : {1.0, -1.0}) {
    const at::Tensor x = (sign * rule_input("x", {4, 40}, 3, 5)).to(GetParam());
    const Int8Activations quantized = quantize_activations(x);
    EXPECT_EQ(quantized.zero, sign > 0 ? 0 : highest_int8_activation());
    EXPECT_LE(relative_error(values_of(quantized), x), 0.02);
  }
  const Int8Activations zeros = quantize_activations(at::zeros({4, 4}, GetParam()));
  EXPECT_EQ(values_of(zeros).abs().max().item<double>(), 0);
}

TEST_P(Int8, WhatIsNotFiniteStaysSo) {
  for (const double odd : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const std::int64_t place : {0, 70000, 99999}) {
      at::Tensor x = at::ones({100000}, GetParam());
      x[place] = odd;
      EXPECT_TRUE(std::isnan(quantize_activations(x).scale)) << odd << " at " << place;
    }
  }
}

TEST_P(Int8, LinearIsTheProductOfItsWholeNumbers) {
  const at::Tensor x = input("x", {3, 50, 96});
  const Int8Weight weight = quantize_weight(rule_input("w", {72, 96}));
  const at::Tensor bias = rule_input("b", {72});
  const at::Tensor y = int8_linear(x, pack_int8_linear(weight, bias));
  const at::Tensor twin =
      at::linear(values_of(quantize_activations(x)), dequantize(weight).to(at::kDouble), bias.to(at::kDouble));
  EXPECT_EQ(y.scalar_type(), GetParam());
  EXPECT_LE(relative_error(y, twin), tolerance());
}

TEST_P(Int8, LinearOfTheLargestNumbersLosesNothing) {
  const at::Tensor x = at::ones({32, 128}, GetParam());
  const Int8Weight weight = quantize_weight(at::ones({64, 128}));
  EXPECT_LE((int8_linear(x, pack_int8_linear(weight, {})) - 128).abs().max().item<double>(), 1e-3)
      << "neighbouring products added in 16 bits would";
}

TEST_P(Int8, ConvolutionIsTheProductOfItsWholeNumbers) {
  struct Case {
    std::vector<std::int64_t> weight;
    Convolution how;
  };
  for (const Case& one : {Case{{40, 24, 3, 3}, {{1, 1}, {1, 1}}}, Case{{40, 24, 3, 3}, {{2, 2}, {1, 1}}},
                          Case{{24, 24, 3, 1}, {{1, 1}, {1, 0}}}}) {
    const at::Tensor x = input("x", {2, 9, 13, 24}).permute({0, 3, 1, 2});
    const Int8Weight weight = quantize_weight(rule_input("w", one.weight));
    const at::Tensor bias = rule_input("b", {one.weight[0]});
    const at::Tensor y = int8_conv(x, pack_int8_conv(weight, bias, one.how), one.how);
    // Outside the picture there is 0, which has to be the number that stands for it.
    const at::Tensor twin = at::conv2d(values_of(quantize_activations(x)), dequantize(weight).to(at::kDouble),
                                       bias.to(at::kDouble), one.how.stride, one.how.padding);
    EXPECT_EQ(y.scalar_type(), GetParam());
    EXPECT_LE(relative_error(y, twin), tolerance()) << at::IntArrayRef(one.weight);
  }
}

TEST(Int8Weight, HasAScaleForEachChannel) {
  const at::Tensor weight =
      at::tensor({1.0, -2.0, 0.5, 0.001, 0.0005, -0.001, 0.0, 0.0, 0.0}).to(at::kFloat).view({3, 3});
  const Int8Weight quantized = quantize_weight(weight);
  EXPECT_TRUE(
      at::equal(quantized.values, at::tensor({64, -127, 32, 127, 64, -127, 0, 0, 0}).to(at::kChar).view({3, 3})));
  EXPECT_LE((dequantize(quantized) - weight).abs().amax(1).div(quantized.scales).max().item<double>(), 0.5);
  EXPECT_TRUE(quantized.scales.gt(0).all().item<bool>());
}

TEST_P(Int8, LayersMeasureTheirErrorAndThenComputeInEightBits) {
  const at::TensorOptions options = at::TensorOptions().dtype(GetParam());
  struct Layers : Module {
    explicit Layers(const at::TensorOptions& options)
        : linear(48, 64, true, options), pointwise(48, 64, 1, options), conv(48, 64, options), frames(48, 48, options) {
      register_child("linear", linear);
      register_child("inner.pointwise", pointwise);
      register_child("conv", conv);
      register_child("frames", frames);
    }
    Linear linear;
    PointwiseConv pointwise;
    Conv2d conv;
    FrameConv frames;
  } layers(options);
  fill_by_rule(layers.named_parameters());
  const at::Tensor x = input("x", {2, 3, 8, 6, 48});
  const auto all = [&] {
    return std::vector{layers.linear(x), layers.pointwise(x), layers.conv(x), layers.frames.before_bias(x).x};
  };
  const std::vector<at::Tensor> exact = all();

  const std::vector<NamedProduct> products = layers.named_products();
  ASSERT_EQ(products.size(), 4);
  EXPECT_EQ(products[1].name, "inner.pointwise");
  for (const NamedProduct& one : products) one.product->measure_int8();
  const std::vector<at::Tensor> measured = all();
  for (std::size_t i = 0; i < products.size(); ++i) {
    EXPECT_TRUE(at::equal(measured[i], exact[i])) << "measuring changes nothing";
    const double error = products[i].product->take_int8_error();
    products[i].product->use_int8();
    EXPECT_TRUE(products[i].product->is_int8());
    EXPECT_GT(error, 1e-4);
    EXPECT_LT(error, 0.03);
  }
  const std::vector<at::Tensor> in_int8 = all();
  for (std::size_t i = 0; i < products.size(); ++i) {
    EXPECT_LT(relative_error(in_int8[i], exact[i]), 0.03) << products[i].name;
    EXPECT_FALSE(at::equal(in_int8[i], exact[i])) << products[i].name;
  }
  std::int64_t left = 0;
  for (const NamedTensor& parameter : layers.named_parameters()) left += parameter.tensor.numel();
  EXPECT_EQ(left, 64 + 64 + 64 + 48) << "biases; weights are freed";
}

TEST_P(Int8, ASharedInputIsQuantizedOnceAndGivesTheSameBits) {
  const at::TensorOptions options = at::TensorOptions().dtype(GetParam());
  struct Layers : Module {
    explicit Layers(const at::TensorOptions& options)
        : one(48, 64, true, options), other(48, 32, false, options), exact(48, 64, true, options) {
      register_child("one", one);
      register_child("other", other);
      register_child("exact", exact);
    }
    Linear one;
    Linear other;
    Linear exact;
  } layers(options);
  fill_by_rule(layers.named_parameters());
  for (const NamedProduct& layer : layers.named_products()) {
    if (layer.name != "exact") layer.product->use_int8();
  }
  const at::Tensor x = input("x", {2, 48, 70}).transpose(1, 2);
  const at::Tensor one = layers.one(x);
  const at::Tensor other = layers.other(x);
  const at::Tensor exact = layers.exact(x);
  const SharedInput shared(x);
  const testing::QuantizationCount count;
  EXPECT_TRUE(at::equal(layers.exact(shared), exact));
  EXPECT_EQ(count.value(), 0) << "nobody wants 8 bits";
  EXPECT_TRUE(at::equal(layers.one(shared), one));
  EXPECT_TRUE(at::equal(layers.other(shared), other));
  EXPECT_EQ(count.value(), 1);
}

}  // namespace
}  // namespace unianimate::nn
