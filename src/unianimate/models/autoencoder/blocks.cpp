#include "unianimate/models/autoencoder/blocks.h"

#include <fmt/format.h>

#include <utility>

#include "unianimate/nn/ops/attention.h"

namespace unianimate::models {

namespace {

constexpr double kAutoencoderNormEps = 1e-6;
constexpr nn::Conv2d::Shape kHalvingUnpadded{.kernel = 3, .stride = 2, .padding = 0};

/// One column at the right and one row at the bottom of zeros: (N, h, w, C) -> (N, h+1, w+1, C).
at::Tensor pad_right_and_bottom(const at::Tensor& x) {
  return at::constant_pad_nd(x, {0, 0, 0, 1, 0, 1});
}

at::Tensor run(const AutoencoderLevel& level, at::Tensor x) {
  for (const auto& block : level.blocks) x = (*block)(x);
  return x;
}

}  // namespace

AutoencoderResBlock::AutoencoderResBlock(std::int64_t in, std::int64_t out, std::int64_t norm_groups,
                                         const at::TensorOptions& options)
    : norm1_(norm_groups, in, kAutoencoderNormEps, options),
      conv1_(in, out, options),
      norm2_(norm_groups, out, kAutoencoderNormEps, options),
      conv2_(out, out, options) {
  register_child("norm1", norm1_);
  register_child("conv1", conv1_);
  register_child("norm2", norm2_);
  register_child("conv2", conv2_);
  if (in != out) register_child("nin_shortcut", shortcut_.emplace(in, out, 2, options));
}

at::Tensor AutoencoderResBlock::operator()(const at::Tensor& x) const {
  const at::Tensor h = norm2_.silu(conv1_.before_bias(norm1_.silu(x)));
  return conv2_.before_bias(h) + (shortcut_ ? (*shortcut_)(x) : x);
}

AutoencoderAttention::AutoencoderAttention(std::int64_t channels, std::int64_t norm_groups,
                                           const at::TensorOptions& options)
    : norm_(norm_groups, channels, kAutoencoderNormEps, options),
      q_(channels, channels, 2, options),
      k_(channels, channels, 2, options),
      v_(channels, channels, 2, options),
      proj_out_(channels, channels, 2, options) {
  register_child("norm", norm_);
  register_child("q", q_);
  register_child("k", k_);
  register_child("v", v_);
  register_child("proj_out", proj_out_);
}

at::Tensor AutoencoderAttention::operator()(const at::Tensor& x) const {
  const at::Tensor normed = norm_(x).flatten(1, 2);
  const auto one_head = [](const at::Tensor& tokens) { return tokens.unsqueeze(2); };
  const at::Tensor attended = nn::attention(one_head(q_(normed)), one_head(k_(normed)), one_head(v_(normed)));
  return x + proj_out_(attended.flatten(2)).view(x.sizes());
}

AutoencoderMiddle::AutoencoderMiddle(std::int64_t channels, std::int64_t norm_groups, const at::TensorOptions& options)
    : block1_(channels, channels, norm_groups, options),
      attn1_(channels, norm_groups, options),
      block2_(channels, channels, norm_groups, options) {
  register_child("block_1", block1_);
  register_child("attn_1", attn1_);
  register_child("block_2", block2_);
}

Encoder::Encoder(const AutoencoderConfig& config, const at::TensorOptions& options)
    : conv_in_(3, config.ch, options),
      middle_(config.deepest_width(), config.norm_groups, options),
      norm_out_(config.norm_groups, config.deepest_width(), kAutoencoderNormEps, options),
      conv_out_(config.deepest_width(), 2 * config.z_channels, options) {
  register_child("conv_in", conv_in_);
  std::int64_t channels = config.ch;
  for (std::size_t i = 0; i < config.ch_mult.size(); ++i) {
    AutoencoderLevel& level = down_.emplace_back();
    const std::int64_t out = config.ch * config.ch_mult[i];
    for (std::int64_t k = 0; k < config.num_res_blocks; ++k) {
      level.blocks.push_back(std::make_unique<AutoencoderResBlock>(channels, out, config.norm_groups, options));
      register_child(fmt::format("down.{}.block.{}", i, k), *level.blocks.back());
      channels = out;
    }
    if (i + 1 == config.ch_mult.size()) break;
    level.resize = std::make_unique<nn::Conv2d>(channels, channels, kHalvingUnpadded, options);
    register_child(fmt::format("down.{}.downsample.conv", i), *level.resize);
  }
  register_child("mid", middle_);
  register_child("norm_out", norm_out_);
  register_child("conv_out", conv_out_);
}

at::Tensor Encoder::operator()(const at::Tensor& pictures) const {
  at::Tensor x = conv_in_(pictures);
  for (const AutoencoderLevel& level : down_) {
    x = run(level, std::move(x));
    if (level.resize) x = (*level.resize)(pad_right_and_bottom(x));
  }
  return conv_out_(norm_out_.silu(middle_(x)));
}

Decoder::Decoder(const AutoencoderConfig& config, const at::TensorOptions& options)
    : conv_in_(config.z_channels, config.deepest_width(), options),
      middle_(config.deepest_width(), config.norm_groups, options),
      up_(config.ch_mult.size()),
      norm_out_(config.norm_groups, config.ch * config.ch_mult.front(), kAutoencoderNormEps, options),
      conv_out_(config.ch * config.ch_mult.front(), 3, options) {
  register_child("conv_in", conv_in_);
  register_child("mid", middle_);
  std::int64_t channels = config.deepest_width();
  for (std::size_t i = up_.size(); i-- > 0;) {
    const std::int64_t out = config.ch * config.ch_mult[i];
    for (std::int64_t k = 0; k <= config.num_res_blocks; ++k) {
      up_[i].blocks.push_back(std::make_unique<AutoencoderResBlock>(channels, out, config.norm_groups, options));
      register_child(fmt::format("up.{}.block.{}", i, k), *up_[i].blocks.back());
      channels = out;
    }
    if (i == 0) break;
    up_[i].resize = std::make_unique<nn::Conv2d>(channels, channels, options);
    register_child(fmt::format("up.{}.upsample.conv", i), *up_[i].resize);
  }
  register_child("norm_out", norm_out_);
  register_child("conv_out", conv_out_);
}

at::Tensor Decoder::operator()(const at::Tensor& latents) const {
  at::Tensor x = middle_(conv_in_(latents));
  for (auto level = up_.rbegin(); level != up_.rend(); ++level) {
    x = run(*level, std::move(x));
    if (level->resize) x = level->resize->of_upsampled(x);
  }
  return conv_out_(norm_out_.silu(x));
}

}  // namespace unianimate::models
