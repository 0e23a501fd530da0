// The DDIM sampler (Denoising Diffusion Implicit Models, equation 12).
#pragma once

#include <memory>

#include "unianimate/diffusion/sampler.h"

namespace unianimate::diffusion {

/// Keeps nothing from step to step; draws noise where options.eta is above 0.
std::unique_ptr<Sampler> make_ddim(const NoiseProcess& process, const SamplerOptions& options);

}  // namespace unianimate::diffusion
