// The parts of the autoencoder.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/models/autoencoder/config.h"
#include "unianimate/nn/layers.h"

namespace unianimate::models {

/// x' + conv2(SiLU(norm2(conv1(SiLU(norm1 x))))), x' through nin_shortcut where the widths differ.
/// Names: norm1, conv1, norm2, conv2, nin_shortcut.
class AutoencoderResBlock : public nn::Module {
 public:
  AutoencoderResBlock(std::int64_t in, std::int64_t out, std::int64_t norm_groups, const at::TensorOptions& options);
  /// (N, h, w, in) -> (N, h, w, out)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  nn::GroupNorm norm1_;
  nn::Conv2d conv1_;
  nn::GroupNorm norm2_;
  nn::Conv2d conv2_;
  std::optional<nn::PointwiseConv> shortcut_;
};

/// Self-attention of one head over all pixels of a picture. Names: norm, q, k, v, proj_out.
class AutoencoderAttention : public nn::Module {
 public:
  AutoencoderAttention(std::int64_t channels, std::int64_t norm_groups, const at::TensorOptions& options);
  /// (N, h, w, C) -> (N, h, w, C)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  nn::GroupNorm norm_;
  nn::PointwiseConv q_;
  nn::PointwiseConv k_;
  nn::PointwiseConv v_;
  nn::PointwiseConv proj_out_;
};

/// Residual block, attention, residual block. Names: block_1, attn_1, block_2.
class AutoencoderMiddle : public nn::Module {
 public:
  AutoencoderMiddle(std::int64_t channels, std::int64_t norm_groups, const at::TensorOptions& options);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const { return block2_(attn1_(block1_(x))); }

 private:
  AutoencoderResBlock block1_;
  AutoencoderAttention attn1_;
  AutoencoderResBlock block2_;
};

/// One resolution: residual blocks, then (but for the last level) a change of size.
struct AutoencoderLevel {
  std::vector<std::unique_ptr<AutoencoderResBlock>> blocks;
  std::unique_ptr<nn::Conv2d> resize;
};

/// Picture to moments. Names: conv_in, down.L.block.I, down.L.downsample.conv, mid, norm_out, conv_out.
class Encoder : public nn::Module {
 public:
  Encoder(const AutoencoderConfig& config, const at::TensorOptions& options);
  /// (N, H, W, 3) -> (N, h, w, 2·z_channels)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& pictures) const;

 private:
  nn::Conv2d conv_in_;
  std::vector<AutoencoderLevel> down_;
  AutoencoderMiddle middle_;
  nn::GroupNorm norm_out_;
  nn::Conv2d conv_out_;
};

/// Latent to picture. Names: conv_in, mid, up.L.block.I, up.L.upsample.conv, norm_out, conv_out.
class Decoder : public nn::Module {
 public:
  Decoder(const AutoencoderConfig& config, const at::TensorOptions& options);
  /// (N, h, w, z_channels) -> (N, H, W, 3)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& latents) const;

 private:
  nn::Conv2d conv_in_;
  AutoencoderMiddle middle_;
  std::vector<AutoencoderLevel> up_;  ///< index = level, run from the last (deepest) to the first
  nn::GroupNorm norm_out_;
  nn::Conv2d conv_out_;
};

}  // namespace unianimate::models
