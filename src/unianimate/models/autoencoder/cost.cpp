#include "unianimate/models/autoencoder/cost.h"

#include <numeric>
#include <utility>

namespace unianimate::models {

namespace {

/// Adds up layers at one resolution after the other.
class Counter {
 public:
  Counter(const AutoencoderConfig& config, double pixels)
      : config_(config), pixels_(pixels), of_level_(config.ch_mult.size()) {}

  /// Where what follows is counted.
  void enter(std::size_t level) { level_ = level; }
  void convolution(std::int64_t in, std::int64_t out, int kernel_elements) {
    of_level_[level_] += 2.0 * pixels_ * static_cast<double>(in) * static_cast<double>(out) * kernel_elements;
  }
  void residual_block(std::int64_t in, std::int64_t out) {
    convolution(in, out, 9);
    convolution(out, out, 9);
    if (in != out) convolution(in, out, 1);
  }
  void middle() {
    const std::int64_t channels = config_.deepest_width();
    for (int i = 0; i < 2; ++i) residual_block(channels, channels);
    for (int i = 0; i < 4; ++i) convolution(channels, channels, 1);
    of_level_[level_] += 4.0 * pixels_ * pixels_ * static_cast<double>(channels);
  }
  void halve() { pixels_ /= 4; }
  void double_sides() { pixels_ *= 4; }
  [[nodiscard]] std::vector<double> of_levels() const { return of_level_; }

 private:
  const AutoencoderConfig& config_;
  double pixels_;
  std::size_t level_ = 0;
  std::vector<double> of_level_;
};

double sum(const std::vector<double>& of_levels) {
  return std::accumulate(of_levels.begin(), of_levels.end(), 0.0);
}

}  // namespace

std::vector<double> encoder_level_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w) {
  const std::int64_t scale = config.downscale();
  Counter count(config, static_cast<double>(h * scale) * static_cast<double>(w * scale));
  std::int64_t channels = config.ch;
  count.convolution(3, channels, 9);
  for (std::size_t level = 0; level < config.ch_mult.size(); ++level) {
    count.enter(level);
    const std::int64_t out = config.ch * config.ch_mult[level];
    for (std::int64_t i = 0; i < config.num_res_blocks; ++i) count.residual_block(std::exchange(channels, out), out);
    if (level + 1 == config.ch_mult.size()) break;
    count.halve();
    count.convolution(out, out, 9);
  }
  count.middle();
  const std::int64_t moments = 2 * config.z_channels;
  count.convolution(channels, moments, 9);
  count.convolution(moments, moments, 1);
  return count.of_levels();
}

std::vector<double> decoder_level_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w) {
  Counter count(config, static_cast<double>(h * w));
  std::int64_t channels = config.deepest_width();
  count.enter(config.ch_mult.size() - 1);
  count.convolution(config.z_channels, config.z_channels, 1);
  count.convolution(config.z_channels, channels, 9);
  count.middle();
  for (std::size_t level = config.ch_mult.size(); level-- > 0;) {
    count.enter(level);
    const std::int64_t out = config.ch * config.ch_mult[level];
    for (std::int64_t i = 0; i <= config.num_res_blocks; ++i) count.residual_block(std::exchange(channels, out), out);
    if (level == 0) break;
    count.double_sides();
    count.convolution(out, out, 9);
  }
  count.convolution(channels, 3, 9);
  return count.of_levels();
}

double encoder_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w) {
  return sum(encoder_level_operations(config, h, w));
}

double decoder_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w) {
  return sum(decoder_level_operations(config, h, w));
}

double autoencoder_block_operations(const AutoencoderConfig& config, std::size_t level, std::int64_t pixels) {
  Counter count(config, static_cast<double>(pixels));
  count.enter(level);
  const std::int64_t channels = config.ch * config.ch_mult[level];
  count.residual_block(channels, channels);
  return count.of_levels()[level];
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
