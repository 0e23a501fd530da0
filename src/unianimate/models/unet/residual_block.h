// The residual block of the UNet with its temporal convolution, and the changes of resolution between levels.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>

#include "unianimate/nn/layers.h"

namespace unianimate::models {

/// Four times GroupNorm (frames jointly), SiLU, convolution over frames; residual.
/// Names: conv1.0, conv1.2, conv2.0, conv2.3, conv3.0, conv3.3, conv4.0, conv4.3.
class TemporalConvolution : public nn::Module {
 public:
  TemporalConvolution(std::int64_t channels, std::int64_t norm_groups, const at::TensorOptions& options);
  /// (B, F, h, w, C) -> (B, F, h, w, C)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  struct Layer {
    Layer(std::int64_t channels, std::int64_t norm_groups, const at::TensorOptions& options);
    [[nodiscard]] nn::BeforeBias operator()(const nn::BeforeBias& x) const { return conv.before_bias(norm.silu(x)); }
    nn::GroupNorm norm;
    nn::FrameConv conv;
  };
  Layer conv1_;
  Layer conv2_;
  Layer conv3_;
  Layer conv4_;
};

/// GroupNorm, SiLU, conv, + time embedding, GroupNorm, SiLU, conv, + skip, then the temporal convolution.
/// Names: in_layers.0, in_layers.2, emb_layers.1, out_layers.0, out_layers.3, skip_connection (where the widths
/// differ), temopral_conv (the checkpoint's spelling).
class ResBlock : public nn::Module {
 public:
  ResBlock(std::int64_t in, std::int64_t out, std::int64_t time_dim, std::int64_t norm_groups,
           const at::TensorOptions& options);
  /// x (B, F, h, w, in) or, where it is defined, x with the channels of `beside` after its own, silu_time: SiLU of the
  /// time embedding (B, time_dim) -> (B, F, h, w, out). What is moved in is freed before the temporal convolution.
  [[nodiscard]] at::Tensor operator()(at::Tensor x, at::Tensor beside, const at::Tensor& silu_time) const;

 private:
  /// What sees each frame by itself: all but the temporal convolution. `embedding`: (B, out).
  [[nodiscard]] at::Tensor within_frames(at::Tensor x, const at::Tensor& embedding) const;

  nn::GroupNorm in_norm_;
  nn::Conv2d in_conv_;
  nn::Linear emb_;
  nn::GroupNorm out_norm_;
  nn::Conv2d out_conv_;
  std::optional<nn::PointwiseConv> skip_;
  TemporalConvolution temporal_;
};

/// Halves the sides: conv 3×3 of stride 2. Names: op.
class Downsample : public nn::Module {
 public:
  Downsample(std::int64_t channels, const at::TensorOptions& options);
  /// (B, F, h, w, C) -> (B, F, h/2, w/2, C)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  nn::Conv2d op_;
};

/// Doubles the sides: nearest neighbour, conv 3×3. Names: conv.
class Upsample : public nn::Module {
 public:
  Upsample(std::int64_t channels, const at::TensorOptions& options);
  /// (B, F, h, w, C) -> (B, F, 2h, 2w, C)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  nn::Conv2d conv_;
};

}  // namespace unianimate::models
