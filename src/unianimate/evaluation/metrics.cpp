#include "unianimate/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>

#include "unianimate/core/error.h"

namespace unianimate::evaluation {

namespace {

constexpr double kRange = 255;

void require_equal_sizes(const Image& a, const Image& b) {
  if (a.width == b.width && a.height == b.height) return;
  throw Error(ErrorKind::kUsage, "pictures of {}x{} and {}x{} cannot be compared; make them of one size", a.width,
              a.height, b.width, b.height);
}

double psnr_of(double sum_of_squares, double values) {
  if (sum_of_squares == 0) return std::numeric_limits<double>::infinity();
  constexpr double kDecibels = 10;
  return kDecibels * std::log10(kRange * kRange * values / sum_of_squares);
}

double squared(int a, int b) {
  const double difference = a - b;
  return difference * difference;
}

/// One channel's values, row by row.
using Plane = std::vector<double>;

struct Size {
  int width;
  int height;
};

template <typename Value>
Plane plane(const Size& size, const Value& value) {
  Plane values(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = value(i);
  return values;
}

/// Weighted means over the windows that lie wholly inside: smaller by the taps less one on each axis.
Plane filtered(const Plane& values, Size size, std::span<const double> taps) {
  const auto count = static_cast<int>(taps.size());
  const Size result{size.width - count + 1, size.height - count + 1};
  Plane rows(static_cast<std::size_t>(result.width) * static_cast<std::size_t>(size.height));
  for (int y = 0; y < size.height; ++y) {
    const double* in = values.data() + static_cast<std::ptrdiff_t>(y) * size.width;
    double* out = rows.data() + static_cast<std::ptrdiff_t>(y) * result.width;
    for (int x = 0; x < result.width; ++x) {
      for (int k = 0; k < count; ++k) out[x] += taps[static_cast<std::size_t>(k)] * in[x + k];
    }
  }
  Plane means(static_cast<std::size_t>(result.width) * static_cast<std::size_t>(result.height));
  for (int y = 0; y < result.height; ++y) {
    double* out = means.data() + static_cast<std::ptrdiff_t>(y) * result.width;
    for (int k = 0; k < count; ++k) {
      const double* in = rows.data() + static_cast<std::ptrdiff_t>(y + k) * result.width;
      for (int x = 0; x < result.width; ++x) out[x] += taps[static_cast<std::size_t>(k)] * in[x];
    }
  }
  return means;
}

std::vector<double> taps_of(SsimWindow window) {
  std::vector<double> taps;
  if (window == SsimWindow::kUniform7) {
    constexpr int kUniformTaps = 7;
    taps.assign(kUniformTaps, 1.0 / kUniformTaps);
    return taps;
  }
  constexpr int kRadius = 5;
  constexpr double kSigma = 1.5;
  double sum = 0;
  for (int i = -kRadius; i <= kRadius; ++i) sum += taps.emplace_back(std::exp(-i * i / (2 * kSigma * kSigma)));
  for (double& tap : taps) tap /= sum;
  return taps;
}

/// From population to sample covariance of a uniform window.
double covariance_factor(SsimWindow window, std::size_t taps) {
  if (window == SsimWindow::kGaussian11) return 1;
  const auto samples = static_cast<double>(taps * taps);
  return samples / (samples - 1);
}

double channel_ssim(const Plane& a, const Plane& b, Size size, SsimWindow window) {
  constexpr double kC1 = (0.01 * kRange) * (0.01 * kRange);
  constexpr double kC2 = (0.03 * kRange) * (0.03 * kRange);
  const std::vector<double> taps = taps_of(window);
  const double factor = covariance_factor(window, taps.size());
  const auto product = [&](const Plane& x, const Plane& y) {
    return filtered(plane(size, [&](std::size_t i) { return x[i] * y[i]; }), size, taps);
  };
  const Plane mean_a = filtered(a, size, taps);
  const Plane mean_b = filtered(b, size, taps);
  const Plane aa = product(a, a);
  const Plane bb = product(b, b);
  const Plane ab = product(a, b);
  double sum = 0;
  for (std::size_t i = 0; i < mean_a.size(); ++i) {
    const double variance_a = factor * (aa[i] - mean_a[i] * mean_a[i]);
    const double variance_b = factor * (bb[i] - mean_b[i] * mean_b[i]);
    const double covariance = factor * (ab[i] - mean_a[i] * mean_b[i]);
    sum += (2 * mean_a[i] * mean_b[i] + kC1) * (2 * covariance + kC2) /
           ((mean_a[i] * mean_a[i] + mean_b[i] * mean_b[i] + kC1) * (variance_a + variance_b + kC2));
  }
  return sum / static_cast<double>(mean_a.size());
}

}  // namespace

double psnr(const Image& a, const Image& b) {
  require_equal_sizes(a, b);
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += squared(a.pixels[i], b.pixels[i]);
  return psnr_of(sum, static_cast<double>(a.pixels.size()));
}

double masked_psnr(const Image& a, const Image& b, const std::vector<std::uint8_t>& mask) {
  require_equal_sizes(a, b);
  if (mask.size() * Image::kChannels != a.pixels.size()) {
    throw Error(ErrorKind::kUsage, "a mask for {}x{} pixels has {} values, but {} were given", a.width, a.height,
                a.pixels.size() / Image::kChannels, mask.size());
  }
  double sum = 0;
  double values = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    if (mask[i / Image::kChannels] == 0) continue;
    sum += squared(a.pixels[i], b.pixels[i]);
    ++values;
  }
  return psnr_of(sum, values);
}

double mean_absolute_error(const Image& a, const Image& b) {
  require_equal_sizes(a, b);
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / (kRange * static_cast<double>(a.pixels.size()));
}

double ssim(const Image& a, const Image& b, SsimWindow window) {
  require_equal_sizes(a, b);
  const Size size{a.width, a.height};
  const auto taps = static_cast<int>(taps_of(window).size());
  if (std::min(size.width, size.height) < taps) {
    throw Error(ErrorKind::kUsage, "SSIM needs pictures of at least {}x{} pixels, found {}x{}", taps, taps, size.width,
                size.height);
  }
  double sum = 0;
  for (std::size_t channel = 0; channel < Image::kChannels; ++channel) {
    const auto channel_of = [&](const Image& image) {
      return plane(size, [&](std::size_t i) { return image.pixels[i * Image::kChannels + channel]; });
    };
    sum += channel_ssim(channel_of(a), channel_of(b), size, window);
  }
  return sum / Image::kChannels;
}

double laplacian_energy(const Image& image) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(image.width) * Image::kChannels;
  double sum = 0;
  for (std::ptrdiff_t y = 1; y + 1 < image.height; ++y) {
    const std::uint8_t* const pixels = image.pixels.data() + y * row;
    for (std::ptrdiff_t x = Image::kChannels; x < row - Image::kChannels; ++x) {
      const int neighbours =
          pixels[x - Image::kChannels] + pixels[x + Image::kChannels] + pixels[x - row] + pixels[x + row];
      sum += squared(4 * pixels[x], neighbours);
    }
  }
  const double values = static_cast<double>(image.width - 2) * static_cast<double>(image.height - 2) * Image::kChannels;
  return sum > 0 ? sum / (kRange * kRange * values) : 0;
}

double change_energy(const Image& last, const Image& image) {
  require_equal_sizes(last, image);
  double sum = 0;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) sum += squared(image.pixels[i], last.pixels[i]);
  return sum / (kRange * kRange * static_cast<double>(image.pixels.size()));
}

double change_error(const Image& last_a, const Image& a, const Image& last_b, const Image& b) {
  require_equal_sizes(a, b);
  require_equal_sizes(a, last_a);
  require_equal_sizes(b, last_b);
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    sum += std::abs((b.pixels[i] - last_b.pixels[i]) - (a.pixels[i] - last_a.pixels[i]));
  }
  return sum / (kRange * static_cast<double>(a.pixels.size()));
}

void FrameConsistency::add(const Image& a, const Image& b) {
  require_equal_sizes(a, b);
  if (last_a_.width > 0) {
    sum_ += change_error(last_a_, a, last_b_, b);
    energy_of_a_ += change_energy(last_a_, a);
    energy_of_b_ += change_energy(last_b_, b);
    ++changes_;
  }
  last_a_ = a;
  last_b_ = b;
}

double FrameConsistency::error() const {
  return changes_ > 0 ? sum_ / static_cast<double>(changes_) : 0;
}

std::optional<double> FrameConsistency::movement() const {
  if (energy_of_b_ == 0) return std::nullopt;
  return energy_of_a_ / energy_of_b_;
}

}  // namespace unianimate::evaluation
