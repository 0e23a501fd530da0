// The multistep sampler of latent consistency models (Luo et al., "Latent Consistency Models", arXiv 2310.04378,
// algorithm 3; the boundary condition as diffusers has it): the model's clean latent, noised anew for the next
// timestep.
#pragma once

#include <memory>

#include "unianimate/diffusion/sampler.h"

namespace unianimate::diffusion {

/// For models distilled to consistency, of a process that counts timesteps. Draws noise where there is more than one
/// step; ends at the clean latent.
std::unique_ptr<Sampler> make_lcm(const NoiseProcess& process, const SamplerOptions& options);

}  // namespace unianimate::diffusion
