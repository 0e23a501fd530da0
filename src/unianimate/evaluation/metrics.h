// How near a picture is to the true one, in numbers. All in double precision on 8-bit pictures.
#pragma once

#include <cstdint>
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

/// Mean absolute difference, divided by 255, between how `a` follows `last_a` and how `b` follows `last_b`.
double change_error(const Image& last_a, const Image& a, const Image& last_b, const Image& b);

/// Mean absolute error of the differences between successive frames: 0 where b changes from frame to frame just as a
/// does, whatever constant error it has. Add frames in order.
class FrameConsistency {
 public:
  void add(const Image& a, const Image& b);
  /// Divided by 255; 0 before the second frame.
  [[nodiscard]] double error() const;

 private:
  Image last_a_;
  Image last_b_;
  double sum_ = 0;
  std::int64_t changes_ = 0;
};

}  // namespace unianimate::evaluation
