// How a latent is sampled: the plain facts.
#pragma once

#include <cstdint>
#include <string_view>

#include "unianimate/diffusion/timesteps.h"

namespace unianimate::diffusion {

struct SamplerOptions {
  std::int64_t steps = 30;  ///< 1 … 1000; the model is evaluated step_count() times, which may be one more
  TimestepSpacing spacing = TimestepSpacing::kLeading;
  double eta = 0.0;  ///< 0: deterministic … 1: as much new noise in each step as ancestral sampling adds
  std::string_view sampler = "ddim";  ///< a name in samplers(), whose text outlives this

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;
  /// How often a model that knows kTimesteps timesteps is asked.
  [[nodiscard]] std::int64_t step_count() const;
};

}  // namespace unianimate::diffusion
