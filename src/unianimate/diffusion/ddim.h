// The DDIM sampler (Denoising Diffusion Implicit Models, equation 12), as published: v prediction.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/diffusion/noise_schedule.h"

namespace unianimate::diffusion {

/// Which timesteps the model is asked at ("Common Diffusion Noise Schedules and Sample Steps are Flawed", table 2).
enum class TimestepSpacing {
  kLeading,   ///< published: clamp(1 + {0, stride, 2·stride, … < 1000}, 0, 999) with stride 1000 div steps
  kTrailing,  ///< round({1, 2, … steps} · 1000 / steps) − 1: begins at 999 however few they are
};

/// "leading" or "trailing".
std::string_view timestep_spacing_name(TimestepSpacing spacing);
/// Throws Error(kUsage) for another name.
TimestepSpacing parse_timestep_spacing(std::string_view name);

struct DdimOptions {
  std::int64_t steps = 30;  ///< 1 … 1000; the model is evaluated timesteps().size() times, which may be one more
  TimestepSpacing spacing = TimestepSpacing::kLeading;
  double eta = 0.0;  ///< 0: deterministic … 1: as much new noise in each step as ancestral sampling adds

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;
  /// 1000 div steps: the distance between two timesteps.
  [[nodiscard]] std::int64_t stride() const { return NoiseSchedule::kTimesteps / steps; }
  /// Descending; see TimestepSpacing.
  [[nodiscard]] std::vector<std::int64_t> timesteps() const;
};

/// One step of the sampler. Where latents are updated part by part, every part takes the same step.
struct DdimStep {
  std::int64_t timestep = 0;  ///< of the latent that the step begins with
  double alpha_prev = 0;      ///< ᾱ at the timestep of the latent that it ends with
  double sigma = 0;           ///< standard deviation of the new noise; 0 for eta = 0

  /// What is left of the latent x (or of some of its frames) after the step, given its v prediction. `noise`: normal
  /// numbers of x's shape, looked at only for sigma > 0 and timestep > 0.
  [[nodiscard]] at::Tensor apply(const NoiseSchedule& schedule, const at::Tensor& x, const at::Tensor& v,
                                 const at::Tensor& noise) const;
};

/// The steps in order. Throws as options.check() does.
std::vector<DdimStep> ddim_steps(const NoiseSchedule& schedule, const DdimOptions& options);

/// The v prediction for latent `x` at `timestep`, guidance included; same shape as x.
using Denoiser = std::function<at::Tensor(const at::Tensor& x, std::int64_t timestep)>;

/// Runs the sampler from `x`, the latent at the first timestep, to the clean latent of the same shape.
/// `generator` is needed for eta > 0: one randn of x's shape is drawn from it in every step.
/// Between steps `progress` may cancel; what is done is for `denoise` to tell, which knows of how many parts a step
/// has.
at::Tensor ddim_sample(const NoiseSchedule& schedule, const DdimOptions& options, at::Tensor x, const Denoiser& denoise,
                       std::optional<at::Generator> generator, const Progress& progress);

}  // namespace unianimate::diffusion
