// The DDIM sampler (Song et al., "Denoising Diffusion Implicit Models", arXiv 2010.02502, equation 12). With eta 0 it
// is Euler's method on x / signal over noise / signal, with eta 1 ancestral sampling.
#pragma once

#include <memory>

#include "unianimate/diffusion/sampler.h"

namespace unianimate::diffusion {

/// Keeps nothing from step to step; draws noise where options.eta is above 0.
std::unique_ptr<Sampler> make_ddim(const NoiseProcess& process, const SamplerOptions& options);

}  // namespace unianimate::diffusion
