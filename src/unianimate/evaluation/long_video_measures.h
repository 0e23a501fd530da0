// What goes wrong in long videos: seams where windows or segments meet, and colours that drift away.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "unianimate/diffusion/context_windows.h"
#include "unianimate/evaluation/quality.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::evaluation {

/// Made frames are g, true ones r, all values from 0 to 1. The error of the change from frame t to the next one is
///   d(t) = mean over pixels and channels of |(g(t+1) − g(t)) − (r(t+1) − r(t))|.
/// A border lies between t and t + 1 where these frames do not come from the same windows.
struct Seams {
  double border_error = 0;   ///< mean of d at the borders
  double inside_error = 0;   ///< mean of d everywhere else
  std::int64_t borders = 0;  ///< how many there are
  std::vector<double>
      from_start;  ///< mean of d(s − 1 + i − n/2) over starts s of windows; n: this curve's length less 1

  /// 1: borders cannot be told from the rest. Nothing where there are no borders, or no errors inside.
  [[nodiscard]] std::optional<double> ratio() const;
};

/// The difference of colour of frame t in channel k is
///   c(t, k) = 255 · (mean over pixels of g(t) − mean over pixels of r(t)).
/// The first and last frames are a tenth of the video each, at least one frame.
struct Drift {
  using Channels = std::array<double, Image::kChannels>;

  Channels first{};                ///< mean of c over the first frames
  Channels last{};                 ///< mean of c over the last frames
  double first_absolute = 0;       ///< mean over channels and the first frames of |c|
  double last_absolute = 0;        ///< mean over channels and the last frames of |c|
  double drift = 0;                ///< mean over channels of |last − first|
  double first_psnr = 0;           ///< mean over the first frames, dB; equal frames count as 100
  double last_psnr = 0;            ///< mean over the last frames
  std::vector<double> difference;  ///< mean over channels of c, over each of up to 50 equal parts of the video
  std::vector<double> error;       ///< the same of |c|
};

struct LongVideoMeasures {
  Quality quality;
  Seams seams;
  Drift drift;
};

/// The mean of every number over videos that were made in the same way; at least one.
LongVideoMeasures mean_of(std::span<const LongVideoMeasures> videos);

/// Takes the frames of a video one by one and keeps a few numbers of each.
class LongVideoMeter {
 public:
  /// `windows`: those that frames come from, see final_windows(). `around`: frames before and after the start of a
  /// window that Seams::from_start shows.
  LongVideoMeter(std::vector<diffusion::ContextWindow> windows, std::int64_t around);

  /// `figure` as QualityMeter::add() takes it. Throws Error(kUsage) for frames of different sizes.
  void add(const Image& made, const Image& truth, const std::vector<std::uint8_t>& figure = {});

  [[nodiscard]] std::int64_t frames() const { return quality_.frames(); }
  /// At least one frame must have been added.
  [[nodiscard]] LongVideoMeasures measures() const;

 private:
  [[nodiscard]] Seams seams() const;
  [[nodiscard]] Drift drift() const;

  std::vector<diffusion::ContextWindow> windows_;
  std::int64_t around_;
  QualityMeter quality_;
  Image last_made_;
  Image last_truth_;
  std::vector<double> change_errors_;                ///< d(t)
  std::vector<Drift::Channels> colour_differences_;  ///< c(t, k)
  std::vector<double> psnrs_;
};

}  // namespace unianimate::evaluation
