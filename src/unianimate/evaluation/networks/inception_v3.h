// Inception V3 as the Fréchet inception distance (FID) uses it.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "unianimate/evaluation/networks/conv_norm.h"
#include "unianimate/nn/module.h"

namespace unianimate::evaluation {

/// The network of pytorch-fid: that of 2015 in TensorFlow, whose average pooling leaves out the padding and whose last
/// block pools the maximum. Tensors are named as in pt_inception-2015-12-05-6726825d.pth, without the classifier (fc).
class InceptionV3 : public nn::Module {
 public:
  static constexpr std::int64_t kFeatures = 2048;
  enum class Pooled;

  InceptionV3();
  ~InceptionV3();

  /// Pictures (N, 3, h, w) with values from 0 to 1, scaled to 299×299 (bilinear, pixel centres, no antialiasing), ->
  /// pool3 (N, kFeatures).
  [[nodiscard]] at::Tensor features(const at::Tensor& pictures) const;

 private:
  class Block;
  std::vector<std::unique_ptr<ConvNorm>> stem_;
  std::vector<std::unique_ptr<Block>> blocks_;
};

}  // namespace unianimate::evaluation
