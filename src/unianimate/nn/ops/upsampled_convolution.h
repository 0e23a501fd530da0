// The convolution after an enlargement, as networks that decode have it.
#pragma once

#include <ATen/ATen.h>

namespace unianimate::nn {

/// Nearest-neighbour enlargement by two: (N, C, h, w) with channels-last strides -> (N, C, 2h, 2w), likewise.
at::Tensor upsample_nearest_2x(const at::Tensor& x);

/// x (N, in, h, w) with channels-last strides, enlarged as above and convolved with weight (out, in, 3, 3), one zero
/// around, plus bias (out; may be undefined) -> (N, out, 2h, 2w).
///
/// A pixel of the result sees only 2 × 2 pixels of x, some of them twice. So on the CPU, without gradients, weights
/// that meet the same pixel are added beforehand, which leaves a kernel of 2 × 2 for each of the four results to a
/// pixel: 4/9 of the operations, and nothing enlarged. The sums are rounded to the weight's format.
at::Tensor convolve_upsampled(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace unianimate::nn
