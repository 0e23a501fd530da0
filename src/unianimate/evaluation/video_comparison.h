// How near a video is to the true one.
#pragma once

#include <cstdint>
#include <functional>

#include "unianimate/evaluation/quality.h"
#include "unianimate/media/pictures/frame_source.h"

namespace unianimate::evaluation {

struct VideoComparison {
  std::int64_t frames = 0;  ///< that both have
  Quality quality;
  bool lengths_differ = false;
};

/// Is given each pair of frames that is compared.
using TakePair = std::function<void(const Image& first, const Image& second)>;

/// Reads both to the end of the shorter one, in step and frame by frame. Throws Error(kUsage) where their sizes differ
/// or are too small for SSIM, Error(kInput) where one has no frames.
VideoComparison compare_videos(FrameSource& first, FrameSource& second, const TakePair& also = {});

}  // namespace unianimate::evaluation
