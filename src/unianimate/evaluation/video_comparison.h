// How near a video is to the true one.
#pragma once

#include <cstdint>

#include "unianimate/media/frame_source.h"

namespace unianimate::evaluation {

/// Means over the frames that both have.
struct VideoComparison {
  std::int64_t frames = 0;
  double psnr = 0;  ///< dB; equal frames count as 100
  double ssim = 0;  ///< 11-tap Gaussian window
  double mean_absolute_error = 0;
  double consistency_error = 0;  ///< see FrameConsistency
  bool lengths_differ = false;
};

/// Reads both to the end of the shorter one, in step and frame by frame. Throws Error(kUsage) where their sizes differ
/// or are too small for SSIM, Error(kInput) where one has no frames.
VideoComparison compare_videos(FrameSource& first, FrameSource& second);

}  // namespace unianimate::evaluation
