// The matrix product behind every linear layer.
#pragma once

#include <ATen/ATen.h>

namespace unianimate::nn {

/// x (..., in) times weight (out, in) transposed plus bias (out) plus residual (..., out) -> (..., out). The last two
/// may be undefined.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  const at::Tensor& residual = {});

/// The same by oneDNN on the CPU, which is faster than ATen's MKL on processors not made by Intel; without gradients.
at::Tensor one_dnn_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          const at::Tensor& residual);

}  // namespace unianimate::nn
