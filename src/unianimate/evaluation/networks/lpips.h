// Learned perceptual image patch similarity (LPIPS), version 0.1.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "unianimate/nn/layers.h"
#include "unianimate/nn/module.h"

namespace unianimate::evaluation {

enum class LpipsTrunk { kAlexNet, kVgg16 };

/// Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", 2018. Tensors are named as
/// in torchvision's file of the trunk (features.0.weight, …; without the classifier) and in the heads of the package
/// lpips (lin0.model.1.weight, …).
class Lpips : public nn::Module {
 public:
  explicit Lpips(LpipsTrunk trunk);
  ~Lpips();

  /// Of pictures (N, h, w, 3) with values from −1 to 1: N distances, 0 for equal ones. Sides of at least 32.
  [[nodiscard]] at::Tensor distance(const at::Tensor& a, const at::Tensor& b) const;

 private:
  struct Stage;
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& pictures) const;

  std::vector<std::unique_ptr<Stage>> stages_;
  std::vector<at::Tensor> heads_;
};

}  // namespace unianimate::evaluation
