// LPIPS, FID and FVD of videos, frame by frame.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "unianimate/evaluation/networks/frechet.h"
#include "unianimate/evaluation/networks/metric_weights.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::evaluation {

/// Means over the frames of a video.
struct Similarity {
  std::optional<double> lpips_alex;
  std::optional<double> lpips_vgg;
};

/// Features (1, InceptionV3::kFeatures) of one frame as pytorch-fid takes them.
at::Tensor fid_features(const InceptionV3& network, const Image& frame);

/// A frame as the evaluation of DisCo and its followers gives it to I3D: scaled to 224×224 whatever its shape, bicubic
/// with antialiasing as in Pillow, without rounding; values of about −1 to 1. (3, 224, 224)
at::Tensor fvd_frame(const Image& frame);

/// Takes pairs of frames, made and true, video by video. Memory does not grow with their number.
class PerceptualMeter {
 public:
  static constexpr int kClipFrames = 16;

  /// `networks` must outlive this. `clip_stride`: frames from the beginning of a clip to that of the next. Throws
  /// Error(kUsage) unless it is 1..kClipFrames.
  explicit PerceptualMeter(const MetricNetworks& networks, int clip_stride = kClipFrames);

  /// The next frames of a video, of one size. Throws Error(kUsage) where LPIPS is measured and a side is below 32.
  void add(const Image& made, const Image& truth);
  /// The video is over: frames behind its last whole clip count for no FVD.
  Similarity end_video();

  /// Over all frames so far; nothing without its network or for fewer than two frames.
  [[nodiscard]] std::optional<double> fid() const;
  /// Over all clips of kClipFrames frames; nothing without its network or for fewer than two.
  [[nodiscard]] std::optional<double> fvd() const;
  [[nodiscard]] std::int64_t clips() const { return made_.clips.count(); }

 private:
  struct Side {
    FeatureStatistics frames;
    FeatureStatistics clips;
    std::vector<at::Tensor> clip;  ///< frames of the one that is not whole yet
  };
  void take(const Image& frame, Side& side) const;

  const MetricNetworks& networks_;
  int clip_stride_;
  Side made_;
  Side true_;
  std::int64_t frames_ = 0;
  double lpips_alex_ = 0;
  double lpips_vgg_ = 0;
};

}  // namespace unianimate::evaluation
