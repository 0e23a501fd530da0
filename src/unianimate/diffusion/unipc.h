// UniPC of second order, predicting the clean latent (Zhao et al., "UniPC: A Unified Predictor-Corrector Framework for
// Fast Sampling of Diffusion Models", arXiv 2302.04867, algorithms 5 to 8; as diffusers has it): a multistep predictor,
// and a corrector that improves each step with the next model output, at no further cost.
#pragma once

#include <memory>
#include <vector>

#include "unianimate/diffusion/multistep.h"
#include "unianimate/diffusion/sampler.h"

namespace unianimate::diffusion {

/// The function B(h) of the paper.
enum class UniPcB {
  kBh1,  ///< −h: infinite at a final level without noise
  kBh2,  ///< e^−h − 1
};

/// With B(h) = bh2. Keeps the clean latents of the last two steps and the corrected latent.
std::unique_ptr<Sampler> make_unipc(const NoiseProcess& process, const SamplerOptions& options);
/// With B(h) = bh1; options.final_level is kSigmaMin.
std::unique_ptr<Sampler> make_unipc_bh1(const NoiseProcess& process, const SamplerOptions& options);

/// How a step is made.
struct UniPcStep {
  int order = 1;         ///< of the predictor, 1 or 2; of the first step 1
  bool corrects = true;  ///< whether the next step corrects it
};

/// Either with steps of one's own.
std::unique_ptr<Sampler> make_unipc(const MultistepLevels& levels, const std::vector<UniPcStep>& steps, UniPcB b);

}  // namespace unianimate::diffusion
