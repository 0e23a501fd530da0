// Products in 8 bits on the CPU, by oneDNN: weights and activations are whole numbers, their sums exact.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "unianimate/nn/ops/convolution.h"

namespace unianimate::nn {

/// The highest value of an activation in 8 bits: 255, or 127 on processors without VNNI, which add two products in 16
/// bits and would lose what does not fit.
int highest_int8_activation();

/// x ≈ scale · (values − zero), one range for the whole tensor.
struct Int8Activations {
  at::Tensor values;  ///< kByte, of the shape and strides of x
  double scale = 1;   ///< not a number where a value of x is not finite: so is then every product
  std::int64_t zero = 0;
};
/// x: dense 32-bit floats or bf16 on the CPU. The range is that of the values, widened to hold 0.
Int8Activations quantize_activations(const at::Tensor& x);

/// weight ≈ scales · values, symmetric, one scale for each output channel.
struct Int8Weight {
  at::Tensor values;  ///< kChar in −127 … 127: (out, …)
  at::Tensor scales;  ///< kFloat (out), above 0
};
Int8Weight quantize_weight(const at::Tensor& weight);
/// In 32-bit floats.
at::Tensor dequantize(const Int8Weight& weight);

/// A weight as oneDNN wants it, which has 8 bits an element.
struct PackedInt8 {
  at::Tensor weight;
  at::Tensor scales;
  at::Tensor zeros;
  at::Tensor bias;  ///< kFloat; may be undefined
};

/// Of a weight (out, in), for x (..., in) -> (..., out) in the type of x.
PackedInt8 pack_int8_linear(const Int8Weight& weight, const at::Tensor& bias);
at::Tensor int8_linear(const at::Tensor& x, const PackedInt8& packed);
/// The same of quantize_activations(x), which several products may share. `type`: that of x.
at::Tensor int8_linear(const Int8Activations& x, const PackedInt8& packed, at::ScalarType type);

/// Of a weight (out, in, k, l), for x (N, in, h, w) with channels-last strides -> (N, out, h', w') in the type of x.
PackedInt8 pack_int8_conv(const Int8Weight& weight, const at::Tensor& bias, const Convolution& convolution);
at::Tensor int8_conv(const at::Tensor& x, const PackedInt8& packed, const Convolution& convolution);

}  // namespace unianimate::nn
