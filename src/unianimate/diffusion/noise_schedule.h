// The noise schedule of the published model: 1000 steps, rescaled so that the last one is pure noise.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace unianimate::diffusion {

/// betas are linspace(√0.00085, √0.012, 1000)² rescaled to zero terminal signal-to-noise ratio ("Common Diffusion
/// Noise Schedules and Sample Steps are Flawed", algorithm 1), ᾱ their cumulative product of 1 − β, all in double.
class NoiseSchedule {
 public:
  static constexpr std::int64_t kTimesteps = 1000;

  NoiseSchedule();

  [[nodiscard]] const std::vector<double>& betas() const { return betas_; }
  [[nodiscard]] const std::vector<double>& alphas_cumprod() const { return alphas_cumprod_; }
  /// ᾱ at `timestep`, 0 … 999.
  [[nodiscard]] double alpha_cumprod(std::int64_t timestep) const {
    return alphas_cumprod_.at(static_cast<std::size_t>(timestep));
  }

  /// √ᾱ x0 + √(1−ᾱ) noise: the clean latent x0 with the noise of `timestep`. Shapes broadcast.
  [[nodiscard]] at::Tensor q_sample(const at::Tensor& x0, std::int64_t timestep, const at::Tensor& noise) const;

  /// What a v prediction says of a noisy latent.
  struct Prediction {
    at::Tensor x0;   ///< √ᾱ x − √(1−ᾱ) v
    at::Tensor eps;  ///< √ᾱ v + √(1−ᾱ) x, finite at every timestep, also where ᾱ = 0
  };
  [[nodiscard]] Prediction from_v(const at::Tensor& x, const at::Tensor& v, std::int64_t timestep) const;

 private:
  std::vector<double> betas_;
  std::vector<double> alphas_cumprod_;
};

}  // namespace unianimate::diffusion
