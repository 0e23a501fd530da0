// Strategic stochastic sampling of trajectory consistency models (Zheng et al., "Trajectory Consistency Distillation",
// arXiv 2402.19159, algorithm 4; as diffusers has it): each step goes to a timestep beyond the next, and back with
// noise.
#pragma once

#include <memory>

#include "unianimate/diffusion/sampler.h"

namespace unianimate::diffusion {

/// For models distilled to trajectory consistency, of a process that counts timesteps. options.eta is the paper's γ:
/// 0 is DDIM from each timestep to the next, 1 goes over timestep 0 each time. Draws noise where it is above 0 and
/// there is more than one step.
std::unique_ptr<Sampler> make_tcd(const NoiseProcess& process, const SamplerOptions& options);

}  // namespace unianimate::diffusion
