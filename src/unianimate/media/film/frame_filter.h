// Inside media: frames through FFmpeg's filters, on their way to an encoder or from a decoder.
#pragma once

#include <string>

#include "unianimate/media/film/ffmpeg_handles.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::ffmpeg {

/// Turns frames of one size and pixel format into what `filters` (FFmpeg's filter graph language) makes of them, one
/// for one and in order, numbered from 0 in units of 1/frame_rate.
class FrameFilter {
 public:
  /// Throws Error(kEnvironment) where this FFmpeg lacks one of the filters.
  FrameFilter(const std::string& filters, int width, int height, AVPixelFormat format, AVRational frame_rate);

  [[nodiscard]] bool takes(int width, int height, AVPixelFormat format) const;

  void push(Frame frame);
  /// For a filter of AV_PIX_FMT_RGB24.
  void push(const Image& image);
  /// No picture follows.
  void push_end();
  /// The next frame; null where more pictures are needed or, after push_end(), there are no more.
  Frame pull();

  [[nodiscard]] int width() const;
  [[nodiscard]] int height() const;
  [[nodiscard]] AVPixelFormat pixel_format() const;

 private:
  FilterGraph graph_;
  int input_width_;
  int input_height_;
  AVPixelFormat input_format_;
  AVFilterContext* source_ = nullptr;
  AVFilterContext* sink_ = nullptr;
  std::int64_t count_ = 0;
};

}  // namespace unianimate::ffmpeg
