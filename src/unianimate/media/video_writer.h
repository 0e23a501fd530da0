// Videos to files: the kind follows from the output's name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "unianimate/media/frame_sink.h"

namespace unianimate {

struct VideoFormat {
  int width = 0;
  int height = 0;
  /// May be a fraction (23.976).
  double frames_per_second = 8;
  /// Of the encoder; 0: as many as suit the machine.
  int threads = 0;

  /// Throws Error(kUsage) unless sides are 1..16384, 0.01 <= frames_per_second <= 1000 and threads >= 0.
  void check() const;
};

/// A sink for frames of format.width × format.height:
/// - .mp4: H.264, crf 18, yuv420p, BT.709 limited range, starts playing while loading; odd sides gain one pixel that
///   repeats the last column or row;
/// - .webm: VP9, constant quality, pixels and odd sides as .mp4;
/// - .mkv: FFV1 in RGB, lossless;
/// - .gif: 255 colours chosen for each frame, at most 50 frames a second;
/// - an existing folder, or a name that ends in '/': 0000.png, 0001.png, …; see png_sequence.h for what it replaces.
/// Throws Error(kUsage) for other names and formats out of range, Error(kEnvironment) where this FFmpeg lacks the
/// encoder or the place cannot be written to.
std::unique_ptr<FrameSink> open_video_writer(const std::filesystem::path& path, const VideoFormat& format);

/// Throws what open_video_writer() would throw; leaves nothing. For checks before long work.
void check_output(const std::filesystem::path& path, const VideoFormat& format);

/// Throws Error(kEnvironment) where the disk clearly has too little room for so many frames at `path`, whose folders
/// need not exist yet.
void check_space(const std::filesystem::path& path, const VideoFormat& format, std::int64_t frames);

}  // namespace unianimate
