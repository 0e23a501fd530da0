// How a family's latents become noise, and how its model speaks of that.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "unianimate/diffusion/level.h"
#include "unianimate/diffusion/sampler_options.h"

namespace unianimate::diffusion {

/// One step of a sampler: the level at which the model is asked, and the one that the step leads to.
struct LevelPair {
  Level from;
  Level to;
};

/// A family has one; samplers and loops know no more of the family than this.
class NoiseProcess {
 public:
  virtual ~NoiseProcess() = default;

  /// The level at a time of the model. Throws std::out_of_range for a time that it does not have.
  [[nodiscard]] virtual Level at(double time) const = 0;
  /// In order, noise decreasing; at least one, the last to options.final_level.
  [[nodiscard]] virtual std::vector<LevelPair> steps(const SamplerOptions& options) const = 0;
  /// What people should know of these options; mostly empty.
  [[nodiscard]] virtual std::string note(const SamplerOptions& /*options*/) const { return {}; }
  /// What the model's output for the latent x at `level` says; all of one shape.
  [[nodiscard]] virtual Prediction prediction(const Level& level, const at::Tensor& x,
                                              const at::Tensor& output) const = 0;

 protected:
  NoiseProcess() = default;
  NoiseProcess(const NoiseProcess&) = default;
  NoiseProcess& operator=(const NoiseProcess&) = default;
};

}  // namespace unianimate::diffusion
