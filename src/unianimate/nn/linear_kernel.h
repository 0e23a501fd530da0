// The matrix product behind every linear layer.
#pragma once

#include <ATen/ATen.h>

namespace unianimate::nn {

/// x (..., in) times weight (out, in) transposed plus bias (out; may be undefined) -> (..., out).
/// On a CPU without gradients it goes through oneDNN, which is faster than MKL on processors not made by Intel.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace unianimate::nn
