// The losses of consistency distillation, between predictions that are linear in the noisy latent and the v prediction.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <vector>

#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/fields/words.h"

namespace unianimate::training {

enum class DistillationMethod {
  kLcm,     ///< to the clean latent, with the boundary of the consistency function (Latent Consistency Models)
  kPhased,  ///< to the end of the phase, without it (Phased Consistency Model, arXiv 2405.18407)
};
constexpr auto words(DistillationMethod /*of*/) {
  return std::array<fields::Word<DistillationMethod>, 2>{
      {{DistillationMethod::kLcm, "lcm"}, {DistillationMethod::kPhased, "phased"}}};
}

/// of_z · z + of_v · v for latents z and predictions v (B, C, F, h, w), with factors of each clip.
struct LinearInV {
  at::Tensor of_z;
  at::Tensor of_v;

  [[nodiscard]] at::Tensor operator()(const at::Tensor& z, const at::Tensor& v) const { return of_z * z + of_v * v; }
};

/// For clips at entries n of the grid of diffusion/consistency.h: from timestep t of the entry to t' of the one before,
/// or to 0.
struct ConsistencySteps {
  at::Tensor timesteps;  ///< int64 (B), t
  at::Tensor next;       ///< int64 (B), t'
  at::Tensor signal;     ///< √ᾱ_t (B, 1, 1, 1, 1)
  at::Tensor spread;     ///< √(1 − ᾱ_t)
  LinearInV solver;      ///< z and the guided v at t -> z' at t': one step of DDIM
  LinearInV prediction;  ///< z and v at t -> f(z, t), or with phases the latent at the end of the phase
  LinearInV target;      ///< the same from t'; z' itself where t' is the end
};

/// `phases` counts with DistillationMethod::kPhased alone. `options`: type and device of the latents.
ConsistencySteps consistency_steps(const std::vector<std::int64_t>& entries, DistillationMethod method,
                                   std::int64_t phases, const diffusion::NoiseSchedule& schedule,
                                   const at::TensorOptions& options);

/// The mean of √(d² + c²) − c with d = prediction − target and c = 0.001 (Song and Dhariwal, arXiv 2310.14189).
at::Tensor pseudo_huber(const at::Tensor& prediction, const at::Tensor& target);

}  // namespace unianimate::training
