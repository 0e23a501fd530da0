// Products of bf16 in 32-bit floats, for processors that multiply bf16 no faster than these, or not at all.
//
// The product of two bf16 fits into a float, and sums are of floats in either case: what is computed is the same as
// with bf16 instructions but for the order of the sums. Of weights and activations one layer's at a time are widened,
// of large activations a part. Without gradients.
#pragma once

#include <ATen/ATen.h>

#include "unianimate/nn/ops/convolution.h"

namespace unianimate::nn {

/// As linear(), for bf16 on the CPU.
at::Tensor linear_in_floats(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& residual);

/// As convolve(), for bf16 on the CPU.
at::Tensor convolution_in_floats(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                 const Convolution& convolution);

}  // namespace unianimate::nn
