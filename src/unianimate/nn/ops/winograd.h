// Convolutions of 3×3 and 3×1 elements in fewer products, in 32-bit floats on the CPU.
//
// Winograd's F(2×2, 3×3) and F(2, 3), as in Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv
// 1509.09308: two neighbouring outputs of three taps take four products instead of six, and 2×2 outputs of 3×3 taps 16
// instead of 36. The sums around them are exact but for rounding, whose error is about twice that of the plain sum.
#pragma once

#include <ATen/ATen.h>

#include "unianimate/nn/ops/convolution.h"
#include "unianimate/nn/ops/winograd_tiles.h"

namespace unianimate::nn {

/// Whether it is a convolution for winograd_convolution(): 3×3 or 3×1 elements, a stride of 1, and channels in
/// multiples of 16.
bool winograd_takes(const at::Tensor& weight, const Convolution& convolution);

/// As convolve(), for floats on the CPU, without gradients. Takes as much memory as 16/9 of 320 of the output channels'
/// weights, and 4 MB a thread.
at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                const Convolution& convolution, const WinogradTiles& tiles);

/// As convolve(), for floats on a processor with AVX2, or with AVX-512; ATen's where that is quicker.
at::Tensor avx2_convolution_fp32(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                 const Convolution& convolution);
at::Tensor avx512_convolution_fp32(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                   const Convolution& convolution);

}  // namespace unianimate::nn
