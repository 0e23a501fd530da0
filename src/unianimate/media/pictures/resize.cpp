#include "unianimate/media/pictures/resize.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "unianimate/core/error.h"

namespace unianimate {

namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;

// One output sample is the sum of weights[i] · input[first + i].
struct Taps {
  int first;
  std::vector<std::int32_t> weights;
};

int round_half_up(double value) {
  return static_cast<int>(std::floor(value + 0.5));
}

std::vector<Taps> bilinear_taps(int in_size, int out_size) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double support = std::max(scale, 1.0);
  const double inverse = 1.0 / support;
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(out_size));
  std::vector<double> weights;
  for (int out = 0; out < out_size; ++out) {
    const double center = (out + 0.5) * scale;
    const int first = std::max(0, round_half_up(center - support));
    const int last = std::min(in_size, round_half_up(center + support));
    weights.clear();
    double sum = 0;
    for (int in = first; in < last; ++in) {
      const double weight = std::max(0.0, 1.0 - std::abs((in - center + 0.5) * inverse));
      weights.push_back(weight);
      sum += weight;
    }
    Taps& tap = taps.emplace_back(Taps{first, {}});
    for (const double weight : weights) {
      const double share = sum != 0.0 ? weight / sum : weight;
      tap.weights.push_back(round_half_up(share * (1 << kPrecisionBits)));
    }
  }
  return taps;
}

// `input` points at the first tap's sample, `stride` samples lie between taps.
std::uint8_t weighted_sum(const std::vector<std::int32_t>& weights, const std::uint8_t* input, std::size_t stride) {
  std::int32_t sum = 1 << (kPrecisionBits - 1);
  for (const std::int32_t weight : weights) {
    sum += weight * *input;
    input += stride;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

Image resize_horizontally(const Image& image, int width) {
  const std::vector<Taps> taps = bilinear_taps(image.width, width);
  Image out(width, image.height);
  std::uint8_t* sample = out.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.row(y).data();
    for (const Taps& tap : taps) {
      const std::uint8_t* input = row + static_cast<std::size_t>(tap.first) * Image::kChannels;
      for (int channel = 0; channel < Image::kChannels; ++channel) {
        *sample++ = weighted_sum(tap.weights, input + channel, Image::kChannels);
      }
    }
  }
  return out;
}

Image resize_vertically(const Image& image, int height) {
  Image out(image.width, height);
  std::uint8_t* sample = out.pixels.data();
  for (const Taps& tap : bilinear_taps(image.height, height)) {
    const std::uint8_t* input = image.row(tap.first).data();
    for (std::size_t i = 0; i < image.row_bytes(); ++i) {
      *sample++ = weighted_sum(tap.weights, input + i, image.row_bytes());
    }
  }
  return out;
}

/// Pillow's rule since version 13. The order shows: what is rounded between the passes may differ by a grey level.
bool vertical_pass_first(const Image& image, int width, int height) {
  const int rows_fewer = image.height - height;
  const int columns_fewer = image.width - width;
  return rows_fewer > 0 && rows_fewer > 2 * columns_fewer;
}

}  // namespace

Image resize_bilinear(const Image& image, int width, int height) {
  if (width < 1 || height < 1) {
    throw Error(ErrorKind::kUsage, "a picture cannot be resized to {}×{}; both sides must be at least 1", width,
                height);
  }
  const auto horizontally = [&](const Image& x) { return x.width == width ? x : resize_horizontally(x, width); };
  const auto vertically = [&](const Image& x) { return x.height == height ? x : resize_vertically(x, height); };
  return vertical_pass_first(image, width, height) ? horizontally(vertically(image)) : vertically(horizontally(image));
}

}  // namespace unianimate
