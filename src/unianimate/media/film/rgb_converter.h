// Inside media: decoded frames as upright RGB pictures with square pixels.
#pragma once

#include <filesystem>
#include <string>

#include "unianimate/media/film/ffmpeg_handles.h"
#include "unianimate/media/film/frame_filter.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::ffmpeg {

/// How a frame must be turned to stand upright, as filters of FFmpeg ("transpose=clock"); empty for upright ones.
/// `matrix` is a display matrix (libavutil/display.h) of nine numbers, or null; angles are rounded to quarter turns.
std::string filters_to_upright(const std::int32_t* matrix);

/// Makes pictures of one size of any frames. HDR frames (PQ, HLG) are tone-mapped; where this FFmpeg cannot, they are
/// converted as if they were not HDR, and look pale.
class RgbConverter {
 public:
  /// The first frame decides on size and tone mapping. `pixel_aspect` is the width of a pixel over its height, by which
  /// the shorter side is lengthened; an aspect of no sense (0/1, or beyond 10) counts as square. Throws Error(kInput),
  /// naming the path, where the size is over max_pixels or the pixels are of a kind that cannot be converted.
  RgbConverter(std::filesystem::path path, const AVFrame& first, AVRational pixel_aspect, std::string upright,
               std::int64_t max_pixels);

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  /// "HDR (PQ) tone-mapped to BT.709"; empty where nothing is to be told.
  [[nodiscard]] const std::string& note() const { return note_; }

  /// Throws Error(kInput) where the frame's pixels are of a kind that cannot be converted.
  Image convert(const AVFrame& frame);

 private:
  Frame filtered(const AVFrame& frame, const std::string& filters);
  Image to_rgb(const AVFrame& source);
  void convert_rows(const AVFrame& source, int top, int rows, Image& image);
  void make_room(int rows);

  std::filesystem::path path_;
  std::string upright_;
  std::string note_;
  int width_ = 0;
  int height_ = 0;
  bool tone_maps_ = true;
  std::string filters_;
  std::unique_ptr<FrameFilter> filter_;
  Scaler scaler_;
  Frame rgb_{allocated(av_frame_alloc())};
};

}  // namespace unianimate::ffmpeg
