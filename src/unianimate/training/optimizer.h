// AdamW or Muon over a model's parameters, with averaged weights.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <vector>

#include "unianimate/core/named_tensor.h"
#include "unianimate/fields/words.h"

namespace unianimate::training {

/// kMuon: Muon for matrices, AdamW for everything else, see muon.h.
enum class OptimizerKind { kAdamW, kMuon };
constexpr auto words(OptimizerKind /*of*/) {
  return std::array<fields::Word<OptimizerKind>, 2>{{{OptimizerKind::kAdamW, "adamw"}, {OptimizerKind::kMuon, "muon"}}};
}

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdamW;
  double learning_rate = 5e-5;  ///< the highest
  double beta1 = 0.9;
  double beta2 = 0.99;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double clip_norm = 1;       ///< gradients whose norm over all parameters is larger are scaled down to it; 0: never
  double ema_decay = 0.9999;  ///< of the averaged weights; 0: no averaging, the weights themselves are given
  std::int64_t warmup_steps = 0;
  double decay_from = 1;             ///< share of all steps after which the learning rate falls, along a cosine …
  double last_learning_rate = 0.02;  ///< … to this share of itself

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;
  /// The learning rate of step 0 … steps − 1.
  [[nodiscard]] double learning_rate_at(std::int64_t step, std::int64_t steps) const;
};

/// AdamW (Loshchilov and Hutter, ICLR 2019), with Muon in its place for matrices where asked for. Weights that are not
/// in 32-bit floats have master copies that are, so that small updates add up.
class Optimizer {
 public:
  /// Makes the parameters ask for gradients. They must outlive this. `exact`: 32-bit values of all or none of them, in
  /// their order, of which they are roundings; masters then begin with these, which are written to. Throws
  /// Error(kUsage) where Muon is asked for and has nothing to update.
  Optimizer(NamedTensors parameters, const OptimizerOptions& options, const NamedTensors& exact = {});

  /// Forgets the gradients.
  void zero_gradients();
  /// Those of all parameters in order; zero where none has arrived.
  [[nodiscard]] std::vector<at::Tensor> gradients() const;
  /// One update with the gradients divided by `divisor`, then clipped. Returns their norm before clipping.
  double step(double learning_rate, double divisor);

  /// Master weights, moments, averaged weights and the count of updates, for saving and for loading in place.
  [[nodiscard]] NamedTensors state() const;
  /// To be called when state() was written to: the parameters follow their masters.
  void follow_masters();

  /// Puts the averaged weights into the parameters, and what was there in their place: twice is nothing.
  void exchange_averaged();

 private:
  /// AdamW of those parameters whose number is in `which`.
  void update(const std::vector<std::size_t>& which, const std::vector<at::Tensor>& gradients, double learning_rate,
              double weight_decay);

  NamedTensors parameters_;
  OptimizerOptions options_;
  std::vector<std::size_t> matrices_;  ///< numbers of those parameters that Muon updates,
  std::vector<std::size_t> decaying_;  ///< of the others on which weight decay acts,
  std::vector<std::size_t> exempt_;    ///< and of the rest: a Mamba's rates of decay and what passes by its states
  std::vector<at::Tensor> weights_;    ///< masters; the parameters themselves where these are in 32-bit floats
  std::vector<at::Tensor> first_moments_;
  std::vector<at::Tensor> second_moments_;  ///< undefined where Muon has none
  std::vector<at::Tensor> averaged_;
  std::vector<at::Tensor> updates_;  ///< count for each parameter, as the fused operator wants it
};

}  // namespace unianimate::training
