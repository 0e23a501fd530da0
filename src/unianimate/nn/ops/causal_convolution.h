// The short convolution over time in front of a selective scan.
#pragma once

#include <ATen/ATen.h>

namespace unianimate::nn {

/// SiLU of the depthwise convolution over time, of which each step sees itself and the kCausalTaps - 1 before it, zeros
/// before the first: x (B, L, P, C), which may have any strides but a dense last axis -> dense (B, L, P, C).
/// `weight`: (C, 1, taps), the newest last; `bias`: (C). `reversed`: time runs from the last to the first. `before`:
/// (B, taps - 1, P, C), what lies before the first step, where time is not reversed and it is not zero.
at::Tensor causal_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool reversed,
                              const at::Tensor& before = {});

}  // namespace unianimate::nn
