// Training low-rank corrections instead of the weights themselves (Hu et al., "LoRA", ICLR 2022).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/core/named_tensor.h"

namespace unianimate::training {

struct LoraOptions {
  std::int64_t rank = 0;  ///< 0: none, the weights themselves are trained
  double alpha = 0;       ///< the correction is alpha / rank · up · down; 0: the rank

  /// Throws Error(kUsage) that names the field.
  void check() const;
};

/// For each matrix W of the UNet that family::takes_lora(), a pair down (rank, in), at first random, and up
/// (out, rank), at first zero. The model always holds W + alpha/rank · up · down, so it needs to know nothing of this;
/// the pairs' gradients follow from W's by the chain rule.
class LoraAdapters {
 public:
  /// `unet`: all its parameters; those that take a correction are made to ask for gradients, and must outlive this.
  /// A rank above a matrix's smaller side is lowered to it.
  LoraAdapters(const NamedTensors& unet, const LoraOptions& options, std::uint64_t seed);

  /// NAME.lora_down.weight and NAME.lora_up.weight, in 32-bit floats.
  [[nodiscard]] NamedTensors parameters() const;
  /// What a LoRA file holds: the same with NAME.alpha.
  [[nodiscard]] NamedTensors file_content() const;
  /// From the gradients of the matrices to those of the pairs; the former are forgotten.
  void collect_gradients() const;
  /// From the pairs to the matrices.
  void apply() const;
  /// The matrices without corrections, until apply().
  void withdraw() const;

 private:
  struct Adapter {
    std::string name;   ///< without ".weight"
    at::Tensor weight;  ///< the model's own
    at::Tensor base;    ///< what it was, in its own type
    at::Tensor down;
    at::Tensor up;
    double alpha = 0;
    double scale = 0;
  };
  std::vector<Adapter> adapters_;
};

}  // namespace unianimate::training
