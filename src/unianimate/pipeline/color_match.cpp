#include "unianimate/pipeline/color_match.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace unianimate::pipeline {

namespace {

struct ChannelStatistics {
  double mean = 0;
  double deviation = 0;
};
using Statistics = std::array<ChannelStatistics, Image::kChannels>;

Statistics measure(std::span<const Image> pictures) {
  std::array<double, Image::kChannels> sums{};
  std::array<double, Image::kChannels> squares{};
  double count = 0;
  for (const Image& picture : pictures) {
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
      const double value = picture.pixels[i];
      sums.at(i % Image::kChannels) += value;
      squares.at(i % Image::kChannels) += value * value;
    }
    count += static_cast<double>(picture.pixels.size()) / Image::kChannels;
  }
  Statistics statistics;
  for (std::size_t c = 0; c < statistics.size(); ++c) {
    const double mean = sums.at(c) / count;
    statistics.at(c) = {mean, std::sqrt(std::max(0.0, squares.at(c) / count - mean * mean))};
  }
  return statistics;
}

}  // namespace

void match_colors(std::span<Image> pictures, const Image& reference) {
  constexpr double kMostStretch = 1.25;
  constexpr double kLargest = 255;
  const Statistics wanted = measure({&reference, 1});
  const Statistics found = measure(pictures);
  std::array<std::array<std::uint8_t, 256>, Image::kChannels> tables{};
  for (std::size_t c = 0; c < tables.size(); ++c) {
    const double stretch =
        std::clamp(wanted.at(c).deviation / std::max(found.at(c).deviation, 1.0), 1 / kMostStretch, kMostStretch);
    for (std::size_t value = 0; value < tables.at(c).size(); ++value) {
      const double matched = (static_cast<double>(value) - found.at(c).mean) * stretch + wanted.at(c).mean;
      tables.at(c).at(value) = static_cast<std::uint8_t>(std::lround(std::clamp(matched, 0.0, kLargest)));
    }
  }
  for (Image& picture : pictures) {
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
      picture.pixels[i] = tables.at(i % Image::kChannels).at(picture.pixels[i]);
    }
  }
}

}  // namespace unianimate::pipeline
