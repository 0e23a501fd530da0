#include "unianimate/models/unet/transformer.h"

#include <utility>
#include <vector>

#include "unianimate/nn/in_parts.h"
#include "unianimate/nn/ops/attention.h"
#include "unianimate/nn/ops/gated_gelu.h"

namespace unianimate::models {

namespace {

constexpr double kTransformerNormEps = 1e-6;
/// Tokens that pass through a feed-forward at once: its inner width is eight times the outer one, which for all tokens
/// of a long clip would be the largest tensor of the model. On a processor so few that what lies between stays in its
/// caches.
constexpr std::int64_t kRowsAtOnce = 1024;
constexpr std::int64_t kRowsAtOnceOnCard = 8192;

}  // namespace

Attention::Attention(std::int64_t dim, std::int64_t context_dim, std::int64_t head_dim,
                     const at::TensorOptions& options)
    : head_dim_(head_dim),
      to_q_(dim, dim, false, options),
      to_k_(context_dim, dim, false, options),
      to_v_(context_dim, dim, false, options),
      to_out_(dim, dim, true, options) {
  register_child("to_q", to_q_);
  register_child("to_k", to_k_);
  register_child("to_v", to_v_);
  register_child("to_out.0", to_out_);
}

at::Tensor Attention::split_heads(const at::Tensor& x) const {
  return x.unflatten(-1, {-1, head_dim_});
}

Attention::Projections Attention::project(const at::Tensor& x) const {
  const nn::SharedInput shared(x);
  return {split_heads(to_q_(shared)), split_heads(to_k_(shared)), split_heads(to_v_(shared))};
}

at::Tensor Attention::within_frames(const at::Tensor& clip) const {
  at::Tensor attended;
  {  // the projections are freed before the last product
    const auto [queries, keys, values] = project(nn::frames_as_batch(clip));
    attended = nn::attention(queries, keys, values);
  }
  return to_out_(attended.flatten(2)).view(clip.sizes());
}

at::Tensor Attention::across_frames(const at::Tensor& x) const {
  at::Tensor attended;
  {
    const auto [queries, keys, values] = project(x);
    attended = nn::frame_attention(queries, keys, values);
  }
  return to_out_(attended.flatten(3));
}

at::Tensor Attention::with_context(const at::Tensor& clip, const ContextKeysValues& context) const {
  const at::Tensor x = clip.flatten(1, 2);
  const at::Tensor attended = nn::attention(split_heads(to_q_(x)), context.keys, context.values);
  return to_out_(attended.flatten(2)).view(clip.sizes());
}

ContextKeysValues Attention::project_context(const at::Tensor& context) const {
  const nn::SharedInput shared(context);
  return {split_heads(to_k_(shared)), split_heads(to_v_(shared))};
}

GatedFeedForward::GatedFeedForward(std::int64_t dim, const at::TensorOptions& options)
    : widen_(dim, 8 * dim, true, options), narrow_(4 * dim, dim, true, options) {
  register_child("net.0.proj", widen_);
  register_child("net.2", narrow_);
}

at::Tensor GatedFeedForward::plus(const at::Tensor& x, const at::Tensor& residual) const {
  const std::int64_t at_once = x.is_cpu() ? kRowsAtOnce : kRowsAtOnceOnCard;
  const std::vector<at::Tensor> inputs = x.flatten(0, -2).split(at_once);
  const std::vector<at::Tensor> residuals = residual.flatten(0, -2).split(at_once);
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    parts.push_back(narrow_.plus(nn::gated_gelu(widen_(inputs[i])), residuals[i]));
  }
  return (parts.size() == 1 ? parts.front() : at::cat(parts)).view(x.sizes());
}

TransformerBlock::TransformerBlock(std::int64_t dim, std::int64_t context_dim, std::int64_t head_dim,
                                   const at::TensorOptions& options)
    : attn1_(dim, dim, head_dim, options),
      ff_(dim, options),
      attn2_(dim, context_dim, head_dim, options),
      norm1_(dim, options),
      norm2_(dim, options),
      norm3_(dim, options) {
  register_child("attn1", attn1_);
  register_child("ff", ff_);
  register_child("attn2", attn2_);
  register_child("norm1", norm1_);
  register_child("norm2", norm2_);
  register_child("norm3", norm3_);
}

at::Tensor TransformerBlock::spatial(at::Tensor x, const ContextKeysValues& context) const {
  nn::NormedSum y = norm2_.of_sum(x, attn1_.within_frames(norm1_(x)));
  x.reset();
  y = norm3_.of_sum(y.sum, attn2_.with_context(y.normed, context));
  return ff_.plus(y.normed, y.sum);
}

at::Tensor TransformerBlock::temporal(at::Tensor x) const {
  nn::NormedSum y = norm2_.of_sum(x, attn1_.across_frames(norm1_(x)));
  x.reset();
  y = norm3_.of_sum(y.sum, attn2_.across_frames(y.normed));
  return ff_.plus(y.normed, y.sum);
}

SpatialTransformer::SpatialTransformer(std::int64_t channels, std::int64_t context_dim, std::int64_t head_dim,
                                       std::int64_t norm_groups, const at::TensorOptions& options)
    : norm_(norm_groups, channels, kTransformerNormEps, options),
      proj_in_(channels, channels, true, options),
      block_(channels, context_dim, head_dim, options),
      proj_out_(channels, channels, true, options) {
  register_child("norm", norm_);
  register_child("proj_in", proj_in_);
  register_child("transformer_blocks.0", block_);
  register_child("proj_out", proj_out_);
}

at::Tensor SpatialTransformer::operator()(const at::Tensor& x, const ContextKeysValues& context) const {
  return nn::frames_in_parts(x, [&](const at::Tensor& frames) { return of_frames(frames, context); });
}

at::Tensor SpatialTransformer::of_frames(const at::Tensor& x, const ContextKeysValues& context) const {
  at::Tensor tokens = proj_in_(norm_(nn::frames_as_batch(x)).view(x.sizes()).flatten(2, 3));
  tokens = block_.spatial(std::move(tokens), context);
  return proj_out_.plus(tokens, x.flatten(2, 3)).view(x.sizes());
}

MambaBlock::MambaBlock(std::int64_t dim, const UNetConfig& config, const at::TensorOptions& options)
    : mamba_(dim, config.d_state, config.expand, Mamba::Directions::kBoth, options),
      ff_(dim, options),
      norm1_(dim, options),
      norm3_(dim, options) {
  register_child("mamba", mamba_);
  register_child("ff", ff_);
  register_child("norm1", norm1_);
  register_child("norm3", norm3_);
}

at::Tensor MambaBlock::operator()(at::Tensor x, MambaHandover* handover) const {
  const nn::NormedSum y = norm3_.of_sum(x, mamba_(norm1_(x), handover));
  x.reset();
  return ff_.plus(y.normed, y.sum);
}

TemporalTransformer::TemporalTransformer(std::int64_t channels, std::int64_t inner, const UNetConfig& config,
                                         const at::TensorOptions& options)
    : norm_(config.norm_groups, channels, kTransformerNormEps, options),
      proj_in_(channels, inner, 1, options),
      proj_out_(inner, channels, 1, options) {
  constexpr const char* kBlock = "transformer_blocks.0";
  register_child("norm", norm_);
  register_child("proj_in", proj_in_);
  if (config.temporal == TemporalKind::kMamba) {
    register_child(kBlock, mamba_.emplace(inner, config, options));
  } else {
    register_child(kBlock, attention_.emplace(inner, inner, config.head_dim, options));
  }
  register_child("proj_out", proj_out_);
}

at::Tensor TemporalTransformer::operator()(const at::Tensor& x, MambaHandover* handover) const {
  at::Tensor normed = norm_(x);
  if (mamba_) return of_pixels(std::move(normed), x, handover);  // it takes so many pixels at once by itself
  return nn::in_parts(x, 2, [&](std::int64_t first, std::int64_t count) {
    const auto rows = [&](const at::Tensor& clip) { return clip.narrow(2, first, count).contiguous(); };
    return of_pixels(rows(normed), rows(x), nullptr);
  });
}

at::Tensor TemporalTransformer::of_pixels(at::Tensor normed, const at::Tensor& x, MambaHandover* handover) const {
  at::Tensor tokens = proj_in_(normed.flatten(2, 3));
  normed.reset();
  tokens = mamba_ ? (*mamba_)(std::move(tokens), handover) : attention_->temporal(std::move(tokens));
  return proj_out_.plus(tokens, x.flatten(2, 3)).view(x.sizes());
}

}  // namespace unianimate::models
