// What the multistep solvers share: levels, their log signal-to-noise ratios, and which steps may look back.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "unianimate/diffusion/level.h"
#include "unianimate/diffusion/noise_process.h"
#include "unianimate/diffusion/sampler_options.h"

namespace unianimate::diffusion {

/// The levels of a solver that goes from each listed timestep to the next, in λ = ln(signal / noise).
class MultistepLevels {
 public:
  /// What `process` lists, and the final level. Where there is no signal, λ has no value: the signal power there is
  /// taken for 2⁻²⁴, the smallest number of half precision, as diffusers has it; the difference to the limit is below a
  /// hundredth of the solver's own error.
  MultistepLevels(const NoiseProcess& process, const SamplerOptions& options);

  [[nodiscard]] std::size_t step_count() const { return levels_.size() - 1; }
  /// Where the model is asked.
  [[nodiscard]] std::span<const Level> asked() const { return {levels_.data(), step_count()}; }
  /// 0 … step_count(), the last one final.
  [[nodiscard]] const Level& level(std::size_t i) const { return levels_.at(i); }
  /// λ of level i + 1 less that of level i: at least 0, and infinite at a final level without noise.
  [[nodiscard]] double distance(std::size_t i) const { return distances_.at(i); }

  /// Of every step, 1 or 2. First order: the first step, which has nothing to look back to; the last one, whose error
  /// nothing corrects any more; and a step that is over twice as long as the one before, for which looking back
  /// overshoots.
  [[nodiscard]] std::vector<int> safe_orders() const;

 private:
  std::vector<Level> levels_;
  std::vector<double> distances_;
};

}  // namespace unianimate::diffusion
