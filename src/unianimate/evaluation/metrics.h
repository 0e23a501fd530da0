// How near a picture is to the true one, in numbers. All in double precision on 8-bit pictures.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "unianimate/media/pictures/image.h"

namespace unianimate::evaluation {

// All throw Error(kUsage) for pictures of different sizes.

/// Peak signal-to-noise ratio in dB, for a data range of 255; infinite for equal pictures.
double psnr(const Image& a, const Image& b);
/// The same over the pixels for which `mask` (width × height, row by row) is not 0; infinite where there are none.
double masked_psnr(const Image& a, const Image& b, const std::vector<std::uint8_t>& mask);
/// Mean absolute difference of channel values, divided by 255.
double mean_absolute_error(const Image& a, const Image& b);

enum class SsimWindow {
  kGaussian11,  ///< 11 × 11 taps, σ = 1.5, population covariance: as first published
  kUniform7,    ///< 7 × 7, sample covariance: scikit-image's default
};
/// Structural similarity (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004): the mean over the windows that lie wholly in
/// the picture and over the three channels, with K1 = 0.01, K2 = 0.03 and a data range of 255. Throws Error(kUsage)
/// also where a side is smaller than the window.
double ssim(const Image& a, const Image& b, SsimWindow window = SsimWindow::kGaussian11);

/// Mean over the pixels that have four neighbours, and over channels, of the squared discrete Laplacian
///   (4·I(x, y) − I(x − 1, y) − I(x + 1, y) − I(x, y − 1) − I(x, y + 1))²
/// of values from 0 to 1: how sharp a picture is. 0 where no pixel has four. Throws nothing.
double laplacian_energy(const Image& image);

/// Mean over pixels and channels of the squared difference between successive frames, of values from 0 to 1.
double change_energy(const Image& last, const Image& image);

/// Mean absolute difference, divided by 255, between how `a` follows `last_a` and how `b` follows `last_b`.
double change_error(const Image& last_a, const Image& a, const Image& last_b, const Image& b);

/// How two videos change from frame to frame. Add frames in order.
class FrameConsistency {
 public:
  void add(const Image& a, const Image& b);
  /// Mean absolute error of the differences between successive frames, divided by 255: 0 where b changes just as a
  /// does, whatever constant error it has, and before the second frame.
  [[nodiscard]] double error() const;
  /// Sum of a's change_energy() over b's: 1 where a moves as much as b, 0 where it stands still. Nothing where b does.
  [[nodiscard]] std::optional<double> movement() const;

 private:
  Image last_a_;
  Image last_b_;
  double sum_ = 0;
  double energy_of_a_ = 0;
  double energy_of_b_ = 0;
  std::int64_t changes_ = 0;
};

}  // namespace unianimate::evaluation
