// The convolution behind every convolutional layer.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>

namespace unianimate::nn {

/// Over two axes, in rows and columns, with zeros around.
struct Convolution {
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> padding{0, 0};
};

/// x (N, in, h, w) with channels-last strides, convolved with weight (out, in, k, l), plus bias (out; may be undefined)
/// -> (N, out, h', w').
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const Convolution& convolution);

}  // namespace unianimate::nn
