// Classifier-free guidance (Ho and Salimans, 2022), in every step or with what the conditions change guessed.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "unianimate/diffusion/shortcuts.h"
#include "unianimate/diffusion/trend.h"

namespace unianimate::diffusion {

/// u + scale · (c − u) of the model's outputs with and without conditions for frames from `first` on, and c itself
/// where work.guidance_scale is 1. `difference` remembers c − u. Where work.unconditional is none, u is not looked at:
/// c + (scale − 1) · what `difference` extrapolates.
at::Tensor guided(const StepWork& work, const Trend& difference, std::int64_t first, const at::Tensor& conditional,
                  const at::Tensor& unconditional);

}  // namespace unianimate::diffusion
