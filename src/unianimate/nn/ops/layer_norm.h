// Normalisation of each row, or of each row of a sum with the sum in the same pass.
#pragma once

#include <ATen/ATen.h>

namespace unianimate::nn {

/// x (..., C) with mean 0 and variance 1 over the last axis, each channel then with its factor and offset (weight,
/// bias: (C)).
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps);

struct NormedSum {
  at::Tensor sum;
  at::Tensor normed;
};

/// x + added, of one shape, and layer_norm() of that.
NormedSum layer_norm_of_sum(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight,
                            const at::Tensor& bias, double eps);

}  // namespace unianimate::nn
