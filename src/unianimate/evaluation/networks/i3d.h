// Inflated 3D Inception (I3D) as the Fréchet video distance (FVD) uses it.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "unianimate/evaluation/networks/conv_norm.h"
#include "unianimate/nn/module.h"

namespace unianimate::evaluation {

/// The network of pytorch-i3d for Kinetics-400; tensors are named as in i3d_pretrained_400.pt and rgb_imagenet.pt.
class I3d : public nn::Module {
 public:
  static constexpr std::int64_t kClasses = 400;
  static constexpr std::int64_t kSide = 224;
  static constexpr std::int64_t kFewestFrames = 9;

  I3d();
  ~I3d();

  /// Clips (N, 3, F, kSide, kSide) with values from −1 to 1, F >= kFewestFrames -> the mean of the logits over time
  /// (N, kClasses).
  [[nodiscard]] at::Tensor logits(const at::Tensor& clips) const;

 private:
  class Stage;
  std::vector<std::unique_ptr<Stage>> stages_;
  at::Tensor logits_weight_;
  at::Tensor logits_bias_;
};

}  // namespace unianimate::evaluation
