// Looks at a video while it is sampled.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "unianimate/core/progress.h"
#include "unianimate/family/family.h"
#include "unianimate/media/pictures/frame_sink.h"

namespace unianimate::pipeline {

/// Opens the place where a preview of frames of that size goes, replacing the one before. May throw
/// Error(kEnvironment).
using OpenPreview = std::function<std::unique_ptr<FrameSink>(int width, int height)>;

/// Writes what the sampler believes the clean clip to be. Where that cannot be written it says so and does no more.
class PreviewWriter {
 public:
  /// `progress` must outlive this. Of a clip of so many frames.
  PreviewWriter(const OpenPreview& open, const family::AnimateRequest& request, std::int64_t frames,
                std::unique_ptr<family::ClipDecoder> decoder, Progress& progress);

  /// Clean latents (1, C, n, h, w), the next ones of the clip.
  void write(const at::Tensor& x0);
  void finish();

 private:
  template <typename Work>
  void attempt(const Work& work);

  std::unique_ptr<FrameSink> sink_;
  std::int64_t frames_left_;
  std::unique_ptr<family::ClipDecoder> decoder_;
  Progress& progress_;
};

}  // namespace unianimate::pipeline
