#include "unianimate/models/autoencoder/small_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "unianimate/models/config_check.h"

namespace unianimate::models {

namespace {

constexpr const char* kSmallDecoderModel = "small decoder";

}  // namespace

void SmallDecoderConfig::check() const {
  const ConfigCheck require{"small_decoder"};
  constexpr std::int64_t kWidest = 1 << 16;
  constexpr std::size_t kMostLevels = 8;
  const auto in_range = [](std::int64_t value) { return value >= 1 && value <= kWidest; };
  require(in_range(z_channels), "z_channels", "between 1 and 65536", z_channels);
  require(!widths.empty() && widths.size() <= kMostLevels, "widths", "a list of 1 to 8 numbers, its length",
          static_cast<std::int64_t>(widths.size()));
  for (const std::int64_t width : widths) require(in_range(width), "widths", "between 1 and 65536", width);
}

SmallDecoderConfig small_decoder_for(const AutoencoderConfig& autoencoder) {
  constexpr std::int64_t kNarrowest = 16;
  constexpr std::size_t kFullWidthFrom = 2;
  SmallDecoderConfig config{autoencoder.z_channels, {}};
  for (std::size_t level = 0; level < autoencoder.ch_mult.size(); ++level) {
    const std::size_t halvings = kFullWidthFrom - std::min(level, kFullWidthFrom);
    config.widths.push_back(std::max(kNarrowest, autoencoder.ch >> halvings));
  }
  return config;
}

SmallDecoderConfig small_decoder_config_from_shapes(const Shapes& shapes) {
  SmallDecoderConfig config{size_of(shapes, kSmallDecoderModel, "conv_in.weight", 1), {}};
  const std::int64_t levels = require_positive(count_blocks(shapes, "up."), kSmallDecoderModel, "the number of levels");
  for (std::int64_t level = 0; level < levels; ++level) {
    config.widths.push_back(size_of(shapes, kSmallDecoderModel, fmt::format("up.{}.block.0.conv1.weight", level), 0));
  }
  config.check();
  return config;
}

SmallDecoderBlock::SmallDecoderBlock(std::int64_t channels, const at::TensorOptions& options)
    : conv1_(channels, channels, options), conv2_(channels, channels, options), conv3_(channels, channels, options) {
  register_child("conv1", conv1_);
  register_child("conv2", conv2_);
  register_child("conv3", conv3_);
}

at::Tensor SmallDecoderBlock::operator()(const at::Tensor& x) const {
  const at::Tensor h = conv2_(conv1_(x).relu_()).relu_();
  return (conv3_.before_bias(h) + x).relu_();
}

SmallDecoder::SmallDecoder(const SmallDecoderConfig& config, const at::TensorOptions& options)
    : config_((config.check(), config)),
      options_(options),
      conv_in_(config.z_channels, config.widths.back(), options),
      levels_(config.widths.size()),
      conv_out_(config.widths.front(), 3, options) {
  register_child("conv_in", conv_in_);
  for (std::size_t level = levels_.size(); level-- > 0;) {
    const std::int64_t width = config.widths[level];
    for (std::int64_t i = 0; i < SmallDecoderConfig::blocks(level); ++i) {
      levels_[level].blocks.push_back(std::make_unique<SmallDecoderBlock>(width, options));
      register_child(fmt::format("up.{}.block.{}", level, i), *levels_[level].blocks.back());
    }
    if (level == 0) break;
    levels_[level].upsample = std::make_unique<nn::Conv2d>(width, config.widths[level - 1], options);
    register_child(fmt::format("up.{}.upsample", level), *levels_[level].upsample);
  }
  register_child("conv_out", conv_out_);
}

at::Tensor SmallDecoder::decode(const at::Tensor& latents) const {
  constexpr double kReach = 3.0;
  const at::Tensor clamped = (at::tanh(latents / kReach) * kReach).to(options_);
  at::Tensor x = conv_in_(clamped.permute({0, 2, 3, 1}).contiguous()).relu_();
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    for (const auto& block : level->blocks) x = (*block)(x);
    if (level->upsample) x = level->upsample->of_upsampled(x);
  }
  return conv_out_(x).permute({0, 3, 1, 2});
}

}  // namespace unianimate::models
