#include "unianimate/models/autoencoder/cost.h"

#include <utility>

namespace unianimate::models {

double decoder_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w) {
  auto pixels = static_cast<double>(h * w);
  double total = 0;
  const auto convolution = [&](std::int64_t in, std::int64_t out, int kernel_elements) {
    total += 2.0 * pixels * static_cast<double>(in) * static_cast<double>(out) * kernel_elements;
  };
  const auto residual_block = [&](std::int64_t in, std::int64_t out) {
    convolution(in, out, 9);
    convolution(out, out, 9);
    if (in != out) convolution(in, out, 1);
  };
  std::int64_t channels = config.deepest_width();
  convolution(config.z_channels, config.z_channels, 1);
  convolution(config.z_channels, channels, 9);
  residual_block(channels, channels);
  for (int i = 0; i < 4; ++i) convolution(channels, channels, 1);
  total += 4.0 * pixels * pixels * static_cast<double>(channels);
  residual_block(channels, channels);
  for (std::size_t level = config.ch_mult.size(); level-- > 0;) {
    const std::int64_t out = config.ch * config.ch_mult[level];
    for (std::int64_t i = 0; i <= config.num_res_blocks; ++i) residual_block(std::exchange(channels, out), out);
    if (level == 0) break;
    pixels *= 4;
    convolution(out, out, 9);
  }
  convolution(channels, 3, 9);
  return total;
}

double decoder_operations(const SmallDecoderConfig& config, std::int64_t h, std::int64_t w) {
  constexpr double kTaps = 9;
  constexpr std::int64_t kConvolutionsInBlock = 3;
  auto pixels = static_cast<double>(h * w);
  double total = 0;
  const auto convolutions = [&](std::int64_t count, std::int64_t in, std::int64_t out) {
    total += 2.0 * pixels * kTaps * static_cast<double>(count * in * out);
  };
  convolutions(1, config.z_channels, config.widths.back());
  for (std::size_t level = config.widths.size(); level-- > 0;) {
    const std::int64_t width = config.widths[level];
    convolutions(kConvolutionsInBlock * SmallDecoderConfig::blocks(level), width, width);
    if (level == 0) break;
    pixels *= 4;
    convolutions(1, width, config.widths[level - 1]);
  }
  convolutions(1, config.widths.front(), 3);
  return total;
}

}  // namespace unianimate::models
