// From noise to a clean latent in steps: what every solver is to the rest.
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/core/named_tensor.h"
#include "unianimate/diffusion/level.h"
#include "unianimate/diffusion/noise_process.h"
#include "unianimate/diffusion/sampler_options.h"

namespace unianimate::diffusion {

/// Holds numbers only, made once for all steps; what changes on the way is in tensors that the caller keeps, so that a
/// job can be left and gone on with, and so that a long latent can be stepped part by part.
class Sampler {
 public:
  virtual ~Sampler() = default;

  /// Where the model is asked, one for each step, in order.
  [[nodiscard]] virtual std::span<const Level> levels() const = 0;

  /// Whether step() looks at new noise. One number for every element of x is then drawn in each step, the last too.
  [[nodiscard]] virtual bool draws_noise() const { return false; }

  /// Names of the tensors that it keeps from step to step, each of x's shape and type and 0 before the first step.
  [[nodiscard]] virtual std::vector<std::string> state_names() const { return {}; }

  /// What the latent x becomes in step i (from 0). All tensors are of x's shape, (1, C, n, h, w): the whole latent or
  /// n consecutive frames of it, of which all are stepped once before the next step. `state`: those of state_names() in
  /// their order, changed in place. `noise`: N(0, 1); undefined unless draws_noise().
  [[nodiscard]] virtual at::Tensor step(std::size_t i, const at::Tensor& x, const Prediction& prediction,
                                        const NamedTensors& state, const at::Tensor& noise) const = 0;

 protected:
  Sampler() = default;
  Sampler(const Sampler&) = default;
  Sampler& operator=(const Sampler&) = default;
};

enum class SamplerKind {
  kFirstOrder,
  kSecondOrder,  ///< looks back to the steps before
  kDistilled,    ///< for models that were distilled for it
};

/// A solver by its name in options.
struct SamplerEntry {
  std::string_view name;
  /// The options are resolved().
  std::unique_ptr<Sampler> (*make)(const NoiseProcess& process, const SamplerOptions& options);
  FinalLevel final_level = FinalLevel::kZero;  ///< where options do not say
  std::string_view why_this_level = {};        ///< empty: options may say another
  double eta = 0;                              ///< where options do not say
  bool takes_eta = false;                      ///< whether options may say one
  SamplerKind kind = SamplerKind::kFirstOrder;
};

/// All there are. A new one is a file and a row.
std::span<const SamplerEntry> samplers();

/// Throws Error(kUsage) that says what names there are, for another.
const SamplerEntry& sampler_entry(std::string_view name);

/// The row of options.sampler. Throws as options.check() does.
std::unique_ptr<Sampler> make_sampler(const NoiseProcess& process, const SamplerOptions& options);

}  // namespace unianimate::diffusion
