// Products of bf16 in 32-bit floats, for processors that multiply bf16 no faster than these, or not at all.
//
// The product of two bf16 fits into a float, and sums are of floats in either case: what is computed is the same as
// with bf16 instructions but for the order of the sums. Of weights and activations one layer's at a time are widened,
// of large activations a part. Without gradients.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "unianimate/nn/ops/convolution.h"

namespace unianimate::nn {

/// As linear(), for bf16 on the CPU.
at::Tensor linear_in_floats(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& residual);

/// As convolve(), for bf16 on the CPU.
at::Tensor convolution_in_floats(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                 const Convolution& convolution);

/// The most bytes that a product with a weight of so many elements takes so beside its input and result: the weight in
/// floats, the same as oneDNN orders it, and parts of activations. 0 where bf16 is multiplied as it is on this
/// processor.
std::int64_t bytes_in_floats(std::int64_t weight_elements);

}  // namespace unianimate::nn
