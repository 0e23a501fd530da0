// The spatial and temporal transformers of the UNet.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>

#include "unianimate/models/unet/config.h"
#include "unianimate/models/unet/mamba.h"
#include "unianimate/nn/layers.h"

namespace unianimate::models {

/// Keys and values that a cross-attention makes of the context: (B, tokens, heads, head_dim) each.
struct ContextKeysValues {
  at::Tensor keys;
  at::Tensor values;
};

/// Multi-head attention with separate projections. Names: to_q, to_k, to_v (no bias), to_out.0.
class Attention : public nn::Module {
 public:
  /// `context_dim`: width of what keys and values are made of.
  Attention(std::int64_t dim, std::int64_t context_dim, std::int64_t head_dim, const at::TensorOptions& options);
  /// Every token of a frame with all tokens of that frame: (B, F, P, C) -> (B, F, P, C).
  [[nodiscard]] at::Tensor within_frames(const at::Tensor& x) const;
  /// Every pixel with itself in all frames: (B, F, P, C) -> (B, F, P, C).
  [[nodiscard]] at::Tensor across_frames(const at::Tensor& x) const;
  /// Every token of every frame with the context, which is the same for all frames.
  [[nodiscard]] at::Tensor with_context(const at::Tensor& x, const ContextKeysValues& context) const;
  /// (B, tokens, context_dim) -> keys and values for with_context
  [[nodiscard]] ContextKeysValues project_context(const at::Tensor& context) const;

 private:
  struct Projections {
    at::Tensor queries;
    at::Tensor keys;
    at::Tensor values;
  };
  [[nodiscard]] at::Tensor split_heads(const at::Tensor& x) const;
  /// Of a self-attention.
  [[nodiscard]] Projections project(const at::Tensor& x) const;

  std::int64_t head_dim_;
  nn::Linear to_q_;
  nn::Linear to_k_;
  nn::Linear to_v_;
  nn::Linear to_out_;
};

/// Linear to 2·4C, value·GELU(gate), linear back to C. Names: net.0.proj, net.2.
class GatedFeedForward : public nn::Module {
 public:
  GatedFeedForward(std::int64_t dim, const at::TensorOptions& options);
  /// The above of x, and residual: (..., C) both -> (..., C)
  [[nodiscard]] at::Tensor plus(const at::Tensor& x, const at::Tensor& residual) const;

 private:
  nn::Linear widen_;
  nn::Linear narrow_;
};

/// The parts that both kinds of transformer block are made of. An x that is moved in is freed as soon as it can be.
/// Names: attn1, ff, attn2, norm1, norm2, norm3.
class TransformerBlock : public nn::Module {
 public:
  TransformerBlock(std::int64_t dim, std::int64_t context_dim, std::int64_t head_dim, const at::TensorOptions& options);
  /// attn1 within each frame, attn2 with the context. (B, F, P, C) -> (B, F, P, C)
  [[nodiscard]] at::Tensor spatial(at::Tensor x, const ContextKeysValues& context) const;
  /// attn1 and attn2 both across frames. (B, F, P, C) -> (B, F, P, C)
  [[nodiscard]] at::Tensor temporal(at::Tensor x) const;
  [[nodiscard]] ContextKeysValues project_context(const at::Tensor& context) const {
    return attn2_.project_context(context);
  }

 private:
  Attention attn1_;
  GatedFeedForward ff_;
  Attention attn2_;
  nn::LayerNorm norm1_;
  nn::LayerNorm norm2_;
  nn::LayerNorm norm3_;
};

/// GroupNorm of each frame, proj_in, one block, proj_out, residual.
/// Names: norm, proj_in, transformer_blocks.0, proj_out.
class SpatialTransformer : public nn::Module {
 public:
  SpatialTransformer(std::int64_t channels, std::int64_t context_dim, std::int64_t head_dim, std::int64_t norm_groups,
                     const at::TensorOptions& options);
  /// (B, F, h, w, C) -> (B, F, h, w, C)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const ContextKeysValues& context) const;
  [[nodiscard]] ContextKeysValues project_context(const at::Tensor& context) const {
    return block_.project_context(context);
  }

 private:
  [[nodiscard]] at::Tensor of_frames(const at::Tensor& x, const ContextKeysValues& context) const;

  nn::GroupNorm norm_;
  nn::Linear proj_in_;
  TransformerBlock block_;
  nn::Linear proj_out_;
};

/// What a temporal Mamba has in place of the transformer block: one block in both directions for its two attentions.
/// Names: mamba, ff, norm1, norm3.
class MambaBlock : public nn::Module {
 public:
  MambaBlock(std::int64_t dim, const UNetConfig& config, const at::TensorOptions& options);
  /// (B, F, P, C) -> (B, F, P, C). An x that is moved in is freed as soon as it can be.
  [[nodiscard]] at::Tensor operator()(at::Tensor x, MambaHandover* handover) const;

 private:
  Mamba mamba_;
  GatedFeedForward ff_;
  nn::LayerNorm norm1_;
  nn::LayerNorm norm3_;
};

/// GroupNorm of all frames jointly, proj_in, one block, proj_out, residual. The block is that of `config.temporal`.
/// Names: norm, proj_in, transformer_blocks.0, proj_out.
class TemporalTransformer : public nn::Module {
 public:
  TemporalTransformer(std::int64_t channels, std::int64_t inner, const UNetConfig& config,
                      const at::TensorOptions& options);
  /// (B, F, h, w, C) -> (B, F, h, w, C). `handover`: of a MambaBlock that sees part of a longer clip.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, MambaHandover* handover = nullptr) const;

 private:
  /// What comes after the normalisation, which sees every pixel by itself. What is moved in is freed early.
  [[nodiscard]] at::Tensor of_pixels(at::Tensor normed, const at::Tensor& x, MambaHandover* handover) const;

  nn::GroupNorm norm_;
  nn::PointwiseConv proj_in_;
  std::optional<TransformerBlock> attention_;  ///< this …
  std::optional<MambaBlock> mamba_;            ///< … or this
  nn::PointwiseConv proj_out_;
};

}  // namespace unianimate::models
