// DPM-Solver++ of second order with the midpoint rule, which looks back one step: "2M" (Lu et al., "DPM-Solver++: Fast
// Solver for Guided Sampling of Diffusion Probabilistic Models", arXiv 2211.01095, algorithm 2), and its twin that
// draws noise, "2M SDE" (the same, appendix; as diffusers has it).
#pragma once

#include <memory>
#include <vector>

#include "unianimate/diffusion/multistep.h"
#include "unianimate/diffusion/sampler.h"

namespace unianimate::diffusion {

/// Keeps the clean latent of the step before.
std::unique_ptr<Sampler> make_dpm_solver(const NoiseProcess& process, const SamplerOptions& options);
/// Draws noise, too.
std::unique_ptr<Sampler> make_dpm_solver_sde(const NoiseProcess& process, const SamplerOptions& options);

/// Either with an order of one's own for every step, 1 or 2; of the first step 1.
std::unique_ptr<Sampler> make_dpm_solver(const MultistepLevels& levels, const std::vector<int>& orders,
                                         bool draws_noise);

}  // namespace unianimate::diffusion
