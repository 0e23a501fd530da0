// Normalisation over groups of channels, with SiLU in the same pass.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace unianimate::nn {

/// x (M, ..., C) -> the same shape, dense: what lies in one entry of the first axis and one of the `groups` of channels
/// gets mean 0 and variance 1, then each channel its factor and offset (weight, bias: (C)); `silu`: then SiLU. `shift`
/// (S, C), where it is defined, is added to x beforehand: each row of it to M / S entries of the first axis.
at::Tensor group_norm(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                      double eps, bool silu, const at::Tensor& shift = {});

}  // namespace unianimate::nn
