// The noise schedule of the published model: 1000 steps, rescaled so that the last one is pure noise.
#pragma once

#include <cstdint>
#include <vector>

#include "unianimate/diffusion/noise_process.h"

namespace unianimate::diffusion {

/// betas are linspace(√0.00085, √0.012, 1000)² rescaled to zero terminal signal-to-noise ratio ("Common Diffusion
/// Noise Schedules and Sample Steps are Flawed", algorithm 1), ᾱ their cumulative product of 1 − β, all in double.
/// Time is the timestep 0 … kTimesteps − 1; the model predicts v.
class NoiseSchedule final : public NoiseProcess {
 public:
  NoiseSchedule();

  [[nodiscard]] const std::vector<double>& betas() const { return betas_; }
  [[nodiscard]] const std::vector<double>& alphas_cumprod() const { return alphas_cumprod_; }
  /// ᾱ at `timestep`, 0 … 999.
  [[nodiscard]] double alpha_cumprod(std::int64_t timestep) const {
    return alphas_cumprod_.at(static_cast<std::size_t>(timestep));
  }

  /// Powers ᾱ and 1 − ᾱ.
  [[nodiscard]] Level at(double timestep) const override;
  /// From each of timesteps() to the next; of the published ones down by published_stride(), which is another only
  /// where the first was clamped.
  [[nodiscard]] std::vector<LevelPair> steps(const SamplerOptions& options) const override;
  /// Where the published program gives no picture.
  [[nodiscard]] std::string note(const SamplerOptions& options) const override;
  /// prediction_from_v(); finite at every timestep, also where ᾱ = 0.
  [[nodiscard]] Prediction prediction(const Level& level, const at::Tensor& x, const at::Tensor& v) const override;

 private:
  std::vector<double> betas_;
  std::vector<double> alphas_cumprod_;
};

}  // namespace unianimate::diffusion
