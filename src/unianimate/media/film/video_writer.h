// Videos to files: the kind follows from the output's name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "unianimate/media/film/audio.h"
#include "unianimate/media/pictures/frame_sink.h"

namespace unianimate {

enum class VideoEffort {
  kFull,     ///< for keeping: small and hardly to be told from the frames
  kPreview,  ///< for a look: several times faster, not as fine; lossless kinds stay lossless
};

struct VideoFormat {
  int width = 0;
  int height = 0;
  /// May be a fraction (23.976).
  double frames_per_second = 8;
  /// Of the encoder; 0: as many as suit the machine.
  int threads = 0;
  VideoEffort effort = VideoEffort::kFull;

  /// Throws Error(kUsage) unless sides are 1..16384, 0.01 <= frames_per_second <= 1000 and threads >= 0.
  void check() const;
};

/// A sink for frames of format.width × format.height:
/// - .mp4: H.264, crf 18 (preview: 25, fastest preset), yuv420p, BT.709 limited range, starts playing while loading;
///   odd sides gain one pixel that repeats the last column or row; sound as AAC;
/// - .webm: VP9, constant quality, pixels and odd sides as .mp4; sound as Opus;
/// - .mkv: FFV1 in RGB, lossless; sound as FLAC with 16 bits a sample;
/// - .gif: 255 colours chosen for each frame, at most 50 frames a second; no sound;
/// - an existing folder, or a name that ends in '/': 0000.png, 0001.png, …; see png_sequence.h for what it replaces; no
///   sound.
/// `audio` is read while frames are written, cut to the length of the video, mixed down to stereo where it has more
/// channels, and ends early where the source does; where the kind of output holds no sound, it is ignored. Sound that
/// cannot be read never ruins the video: the result is silent or partly so, and trouble() says why.
/// The file has the mark kMark, or kPreviewMark, as its comment; see written_mark.h.
/// Throws Error(kUsage) for other names and formats out of range, Error(kEnvironment) where this FFmpeg lacks an
/// encoder or the place cannot be written to.
std::unique_ptr<FrameSink> open_video_writer(const std::filesystem::path& path, const VideoFormat& format,
                                             const std::optional<AudioSource>& audio = {});

/// Whether a video at `path` would be a folder of pictures: an existing folder, or a name that ends in '/'.
bool names_a_folder(const std::filesystem::path& path);

/// "GIF pictures hold no sound": why a video at `path` would be silent; empty where it can have sound.
std::string why_no_audio(const std::filesystem::path& path);

/// Throws what open_video_writer() would throw; leaves nothing. For checks before long work.
void check_output(const std::filesystem::path& path, const VideoFormat& format);

/// Throws Error(kEnvironment) where the disk clearly has too little room for so many frames at `path`, whose folders
/// need not exist yet.
void check_space(const std::filesystem::path& path, const VideoFormat& format, std::int64_t frames);

/// What so many frames take at least, losslessly compressed.
std::int64_t lossless_bytes(int width, int height, std::int64_t frames);

}  // namespace unianimate
