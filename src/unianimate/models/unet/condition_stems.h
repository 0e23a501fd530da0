// What turns pictures and latents of the conditions into channels beside the noisy latent.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "unianimate/nn/layers.h"

namespace unianimate::models {

/// Pictures to latent-sized features: conv 3→32, SiLU, average pool to half, conv, SiLU, conv, the last two of
/// stride 2. Names: .0, .3, .5. Published modules local_image_embedding, dwpose_embedding, randomref_pose2_embedding.
class PictureStem : public nn::Module {
 public:
  PictureStem(std::int64_t out, const at::TensorOptions& options);
  /// Pictures (B, F, H, W, 3) in [0, 1] -> (B, F, h, w, out), each frame by itself.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& pictures, std::int64_t h, std::int64_t w) const;

 private:
  [[nodiscard]] at::Tensor embed(const at::Tensor& pictures, std::int64_t h, std::int64_t w) const;

  nn::Conv2d conv0_;
  nn::Conv2d conv3_;
  nn::Conv2d conv5_;
};

/// Latents to features of the same size: conv 4→32, SiLU, conv, SiLU, conv. Names: .0, .2, .4.
/// Published module randomref_embedding2.
class LatentStem : public nn::Module {
 public:
  LatentStem(std::int64_t out, const at::TensorOptions& options);
  /// (B, F, h, w, 4) -> (B, F, h, w, out)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& latents) const;

 private:
  nn::Conv2d conv0_;
  nn::Conv2d conv2_;
  nn::Conv2d conv4_;
};

/// The one-layer transformer over the frames at every pixel that follows each stem (*_after): pre-norm attention of
/// two heads, each as wide as the stem, then a feed-forward without a norm. Names: layers.0.0.*, layers.0.1.*.
class StemTransformer : public nn::Module {
 public:
  StemTransformer(std::int64_t channels, const at::TensorOptions& options);
  /// (B, F, h, w, C) -> (B, F, h, w, C)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  std::int64_t channels_;
  nn::LayerNorm norm_;
  nn::Linear to_qkv_;
  nn::Linear to_out_;
  nn::Linear widen_;
  nn::Linear narrow_;
};

}  // namespace unianimate::models
