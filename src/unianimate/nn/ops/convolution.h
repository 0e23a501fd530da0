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

/// Columns of zeros to put to the right of x (N, in, h, w), so that a strided convolution with a kernel of so many
/// columns gets a result that is two pixels wide, whose first is the right one; mostly 0. With AMX, oneDNN (that of
/// PyTorch 2.11) computes those in bf16 and 8 bits whose results are one pixel wide, or their gradients, from memory
/// that nobody wrote.
std::int64_t columns_to_add(const at::Tensor& x, std::int64_t kernel_width, const Convolution& convolution);

/// x (N, in, h, w) with channels-last strides, convolved with weight (out, in, k, l), plus bias (out; may be undefined)
/// -> (N, out, h', w').
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const Convolution& convolution);

}  // namespace unianimate::nn
