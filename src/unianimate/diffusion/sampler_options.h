// How a latent is sampled: the plain facts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "unianimate/diffusion/timesteps.h"
#include "unianimate/fields/words.h"

namespace unianimate::diffusion {

/// Where the last step leads.
enum class FinalLevel {
  kZero,      ///< to the clean latent
  kSigmaMin,  ///< to the noise of timestep 0, as published
};

constexpr auto words(FinalLevel /*of*/) {
  return std::array<fields::Word<FinalLevel>, 2>{{{FinalLevel::kZero, "zero"}, {FinalLevel::kSigmaMin, "sigma_min"}}};
}

struct SamplerOptions {
  std::int64_t steps = 30;  ///< 1 … 1000; the model is evaluated step_count() times, which may be one more
  TimestepList timesteps = {};
  std::optional<FinalLevel> final_level = {};  ///< none: what suits the sampler
  std::optional<double> eta =
      {};  ///< new noise in each step, 0 … 1, where the sampler can be told; none: what suits it
  std::string_view sampler = "ddim";  ///< a name in samplers(), whose text outlives this

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;
  /// The same with the sampler's own where final_level and eta are none.
  [[nodiscard]] SamplerOptions resolved() const;
  /// How often a model that knows kTimesteps timesteps is asked.
  [[nodiscard]] std::int64_t step_count() const;
};

}  // namespace unianimate::diffusion
