// The end of a residual branch: a convolution's bias and what went past it, in one pass.
#pragma once

#include <ATen/ATen.h>

#include <initializer_list>

namespace unianimate::nn {

/// Whether a convolution of x should leave its bias to add_residual() and group_norm(), as its device would add it in a
/// pass of its own. `parameters` of the convolution.
bool leaves_bias(const at::Tensor& x, std::initializer_list<at::Tensor> parameters);

/// x + bias + residual for x and residual of one shape (..., C); `bias` (C) may be undefined. Nobody else may hold x,
/// which is written over where there is a kernel for it.
at::Tensor add_residual(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual);

}  // namespace unianimate::nn
