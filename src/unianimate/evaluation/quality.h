// How near a whole video is to the true one, in the few numbers that tables show.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unianimate/evaluation/metrics.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::evaluation {

/// The PSNR that equal frames count as, in dB.
inline constexpr double kEqualPsnr = 100;

/// Means over the frames of a video.
struct Quality {
  double psnr = 0;  ///< dB; equal frames count as kEqualPsnr
  double ssim = 0;  ///< 11-tap Gaussian window
  double mean_absolute_error = 0;
  /// PSNR within the figure, over the frames that show any of it; nothing where figures are not known.
  std::optional<double> figure_psnr;
  double consistency_error = 0;  ///< FrameConsistency::error()
  /// Sum over the frames of laplacian_energy() over the same of the true frames: 1 is the truth, less is blurred.
  /// Nothing where the truth is flat.
  std::optional<double> sharpness = {};
  std::optional<double> movement = {};  ///< FrameConsistency::movement()
};

/// The figure_psnr for a table; empty where figures are not known.
std::string figure_psnr_text(const Quality& quality);
/// A sharpness or movement for a table; empty where there is none.
std::string ratio_text(const std::optional<double>& ratio);

/// The mean of every number over several videos; of optional ones over those that have it. All zeros for none.
Quality mean_of(std::span<const Quality> videos);

/// Takes the frames of a video one by one.
class QualityMeter {
 public:
  /// `figure`: a mask as masked_psnr() takes it; empty: not known. Throws as the measures do.
  void add(const Image& made, const Image& truth, const std::vector<std::uint8_t>& figure = {});

  [[nodiscard]] std::int64_t frames() const { return frames_; }
  /// All zeros before the first frame.
  [[nodiscard]] Quality quality() const;

 private:
  std::int64_t frames_ = 0;
  std::int64_t frames_with_figure_ = 0;
  double psnr_ = 0;
  double ssim_ = 0;
  double mean_absolute_error_ = 0;
  double figure_psnr_ = 0;
  double laplacians_ = 0;
  double true_laplacians_ = 0;
  FrameConsistency consistency_;
};

}  // namespace unianimate::evaluation
