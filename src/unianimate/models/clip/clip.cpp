#include "unianimate/models/clip/clip.h"

#include <fmt/format.h>

#include "unianimate/nn/ops/attention.h"
#include "unianimate/nn/ops/linear.h"

namespace unianimate::models {

namespace {}  // namespace

ClipBlock::ClipBlock(std::int64_t width, std::int64_t heads, std::int64_t mlp_ratio, const at::TensorOptions& options)
    : heads_(heads),
      ln1_(width, options),
      out_proj_(width, width, true, options),
      ln2_(width, options),
      mlp_widen_(width, mlp_ratio * width, true, options),
      mlp_narrow_(mlp_ratio * width, width, true, options) {
  register_child("ln_1", ln1_);
  in_proj_weight_ = register_parameter("attn.in_proj_weight", {3 * width, width}, options);
  in_proj_bias_ = register_parameter("attn.in_proj_bias", {3 * width}, options);
  register_child("attn.out_proj", out_proj_);
  register_child("ln_2", ln2_);
  register_child("mlp.c_fc", mlp_widen_);
  register_child("mlp.c_proj", mlp_narrow_);
}

at::Tensor ClipBlock::operator()(const at::Tensor& tokens, bool causal) const {
  const at::Tensor qkv = nn::linear(ln1_(tokens), in_proj_weight_, in_proj_bias_).unflatten(-1, {3, heads_, -1});
  const at::Tensor attended = nn::attention(qkv.select(2, 0), qkv.select(2, 1), qkv.select(2, 2), causal);
  const at::Tensor x = tokens + out_proj_(attended.flatten(2));
  return x + mlp_narrow_(at::gelu(mlp_widen_(ln2_(x))));
}

ClipVisual::ClipVisual(const ClipConfig& config, const at::TensorOptions& options)
    : options_((config.check(), options)),
      class_embedding_(register_parameter("class_embedding", {config.vision.width}, options)),
      positional_embedding_(register_parameter("positional_embedding",
                                               {1 + (config.vision.image_size / config.vision.patch_size) *
                                                        (config.vision.image_size / config.vision.patch_size),
                                                config.vision.width},
                                               options)),
      proj_(register_parameter("proj", {config.vision.width, config.embed_dim}, options)),
      conv1_(3, config.vision.width,
             {.kernel = config.vision.patch_size, .stride = config.vision.patch_size, .padding = 0, .bias = false},
             options),
      ln_pre_(config.vision.width, options),
      ln_post_(config.vision.width, options) {
  register_child("conv1", conv1_);
  register_child("ln_pre", ln_pre_);
  for (std::int64_t i = 0; i < config.vision.layers; ++i) {
    blocks_.push_back(
        std::make_unique<ClipBlock>(config.vision.width, config.vision.heads, config.vision.mlp_ratio, options));
    register_child(fmt::format("transformer.resblocks.{}", i), *blocks_.back());
  }
  register_child("ln_post", ln_post_);
}

at::Tensor ClipVisual::operator()(const at::Tensor& pictures) const {
  const at::Tensor patches = conv1_(pictures.to(options_).permute({0, 2, 3, 1}).contiguous()).flatten(1, 2);
  const at::Tensor class_token = class_embedding_.expand({patches.size(0), 1, -1});
  at::Tensor x = ln_pre_(at::cat({class_token, patches}, 1) + positional_embedding_);
  for (const auto& block : blocks_) x = (*block)(x, false);
  return at::matmul(ln_post_(x.select(1, 0)), proj_);
}

ClipText::ClipText(const ClipConfig& config, const at::TensorOptions& options)
    : config_((config.check(), config.text)),
      positional_embedding_(
          register_parameter("positional_embedding", {config.text.context_length, config.text.width}, options)),
      text_projection_(register_parameter("text_projection", {config.text.width, config.embed_dim}, options)),
      logit_scale_(register_parameter("logit_scale", {}, options)),
      ln_final_(config.text.width, options) {
  for (std::int64_t i = 0; i < config.text.layers; ++i) {
    blocks_.push_back(
        std::make_unique<ClipBlock>(config.text.width, config.text.heads, ClipConfig::Text::kMlpRatio, options));
    register_child(fmt::format("transformer.resblocks.{}", i), *blocks_.back());
  }
  token_embedding_ = register_parameter("token_embedding.weight", {config.text.vocab_size, config.text.width}, options);
  register_child("ln_final", ln_final_);
}

at::Tensor ClipText::embed_empty_prompt() const {
  at::Tensor tokens = at::zeros({config_.context_length}, token_embedding_.options().dtype(at::kLong));
  tokens[0] = config_.start_of_text();
  tokens[1] = config_.end_of_text();
  at::Tensor x = (token_embedding_.index_select(0, tokens) + positional_embedding_).unsqueeze(0);
  for (std::size_t i = 0; i + 1 < blocks_.size(); ++i) x = (*blocks_[i])(x, true);
  return ln_final_(x);
}

at::Tensor normalize_for_clip(const at::Tensor& pictures) {
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat);
  const at::Tensor mean = at::tensor({0.48145466, 0.4578275, 0.40821073}, options).view({3, 1, 1});
  const at::Tensor deviation = at::tensor({0.26862954, 0.26130258, 0.27577711}, options).view({3, 1, 1});
  return (pictures - mean.to(pictures.device())) / deviation.to(pictures.device());
}

}  // namespace unianimate::models
