// The two towers of OpenCLIP: the visual one for the reference picture, the text one for the empty prompt only.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "unianimate/models/clip/config.h"
#include "unianimate/nn/layers.h"

namespace unianimate::models {

/// x += attn(ln_1 x); x += mlp(ln_2 x), with exact GELU.
/// Names: ln_1, attn.in_proj_weight, attn.in_proj_bias, attn.out_proj, ln_2, mlp.c_fc, mlp.c_proj.
class ClipBlock : public nn::Module {
 public:
  ClipBlock(std::int64_t width, std::int64_t heads, std::int64_t mlp_ratio, const at::TensorOptions& options);
  /// (N, tokens, width) -> (N, tokens, width); `causal`: a token sees only itself and those before it.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, bool causal) const;

 private:
  std::int64_t heads_;
  nn::LayerNorm ln1_;
  at::Tensor in_proj_weight_;
  at::Tensor in_proj_bias_;
  nn::Linear out_proj_;
  nn::LayerNorm ln2_;
  nn::Linear mlp_widen_;
  nn::Linear mlp_narrow_;
};

/// Picture to embedding. Names as in the checkpoint without the leading "visual.".
class ClipVisual : public nn::Module {
 public:
  /// Throws Error(kUsage) through config.check().
  ClipVisual(const ClipConfig& config, const at::TensorOptions& options);
  /// Normalised pictures (N, 3, image_size, image_size) -> (N, embed_dim), not normalised, in the parameters' dtype.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& pictures) const;

 private:
  at::TensorOptions options_;
  at::Tensor class_embedding_;
  at::Tensor positional_embedding_;
  at::Tensor proj_;
  nn::Conv2d conv1_;
  nn::LayerNorm ln_pre_;
  std::vector<std::unique_ptr<ClipBlock>> blocks_;
  nn::LayerNorm ln_post_;
};

/// The text tower, for the embedding of "" (published name zero_y). Names as in the checkpoint.
class ClipText : public nn::Module {
 public:
  /// Throws Error(kUsage) through config.check().
  ClipText(const ClipConfig& config, const at::TensorOptions& options);
  /// All positions after the last but one block and ln_final: (1, context_length, width).
  [[nodiscard]] at::Tensor embed_empty_prompt() const;

 private:
  ClipConfig::Text config_;
  at::Tensor positional_embedding_;
  at::Tensor text_projection_;
  at::Tensor logit_scale_;
  std::vector<std::unique_ptr<ClipBlock>> blocks_;
  at::Tensor token_embedding_;
  nn::LayerNorm ln_final_;
};

/// Per-channel mean and deviation of OpenCLIP's training pictures: pictures (N, 3, H, W) in [0, 1] -> normalised.
at::Tensor normalize_for_clip(const at::Tensor& pictures);

}  // namespace unianimate::models
