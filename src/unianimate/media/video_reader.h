// Videos from files, frame by frame.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "unianimate/media/image.h"
#include "unianimate/media/image_reader.h"

namespace unianimate {

struct VideoInfo {
  int width = 0;
  int height = 0;
  double frames_per_second = 0;
  /// As the container says or its length suggests; 0 where it does not know. Decoding may give another number.
  std::int64_t frame_count = 0;
  /// FFmpeg's names: "h264", "yuv420p".
  std::string codec;
  std::string pixel_format;
};

/// The first video stream of a local file (MP4, MOV, Matroska, WebM, AVI, GIF and their kin; never a playlist that
/// could point elsewhere). Not to be shared between threads.
class VideoReader {
 public:
  /// Throws Error(kInput), naming the path, where it is missing, holds no video that can be decoded, or claims frames
  /// over limits.max_pixels.
  explicit VideoReader(const std::filesystem::path& path, const ReadLimits& limits = {});
  ~VideoReader();
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  [[nodiscard]] const VideoInfo& info() const;

  /// The next frame in order of display, converted by the matrix and range the video names (BT.601 where it names
  /// none); nothing after the last. Throws Error(kInput) where the data is damaged, cut short, or changes its size.
  std::optional<Image> next();

 private:
  class Decoder;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace unianimate
