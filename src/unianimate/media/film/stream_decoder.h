// Inside media: the decoded frames of one stream of a local file, whatever befalls them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "unianimate/media/film/ffmpeg_handles.h"

namespace unianimate::ffmpeg {

/// Frames of more pixels are not held more often than need be, at the cost of time.
constexpr std::int64_t kLargePixels = 16'000'000;

/// Throws Error(kInput): the file cannot be read as a video, for this reason.
[[noreturn]] void refuse_video(const std::filesystem::path& path, std::string_view reason);

/// A file whose container holds its own data, its streams known; getting to know them decodes nothing over
/// `max_pixels`. Pictures of a kind of file that has no times follow each other at `untimed_frames_per_second`. Throws
/// Error(kInput), naming the path, for anything else.
Input open_input(const std::filesystem::path& path, std::int64_t max_pixels, double untimed_frames_per_second = 25);

/// Whether the file is of a kind that has no times (MJPEG, raw H.264); the pictures themselves may have.
bool has_no_times(const AVFormatContext& container);

/// The stream of this kind that a player would choose; null where there is none. A cover picture is no video.
AVStream* find_stream(AVFormatContext& container, AVMediaType type);

struct DecoderLimits {
  /// 0: as many as suit the machine.
  int threads = 0;
  std::int64_t max_pixels = 0;
  bool draft = false;  ///< may leave out the loop filter
};

/// Damage does not end the stream: what cannot be decoded is left out and counted.
class StreamDecoder {
 public:
  /// Decodes `stream`, which belongs to `container`. Throws Error(kInput), naming the path, where there is no decoder
  /// for it or its pictures are over the limits.
  StreamDecoder(const std::filesystem::path& path, Input container, AVStream& stream, const DecoderLimits& limits);

  /// The next frame in order of display, valid until the next call; null after the last.
  AVFrame* next();

  /// Goes to a place from which all frames from `timestamp` (in the stream's time base) on can be decoded; the next
  /// frame may be one long before, or, in files with poor indices, behind. False where that fails: the decoder is of no
  /// use then.
  [[nodiscard]] bool seek(std::int64_t timestamp);

  [[nodiscard]] AVFormatContext& container() const { return *container_; }
  [[nodiscard]] AVStream& stream() const { return *stream_; }
  /// When the frame is shown, in seconds of the container's time; NaN where the container does not say.
  [[nodiscard]] double seconds_of(const AVFrame& frame) const;

  /// Packets and frames so far that could not be decoded, or not as they were meant to be.
  [[nodiscard]] std::int64_t damaged() const { return damaged_; }
  /// Whether the end that next() came to was not the end the file promised.
  [[nodiscard]] bool ended_early() const { return ended_early_; }

 private:
  void feed();
  void feed_end(int reading);
  void note_reach(const AVPacket& packet);
  [[nodiscard]] bool index_points_beyond_file() const;
  [[nodiscard]] bool promises_more() const;

  Input container_;
  AVStream* stream_;
  Codec codec_;
  Packet packet_{allocated(av_packet_alloc())};
  Frame frame_{allocated(av_frame_alloc())};
  std::int64_t damaged_ = 0;
  bool ended_early_ = false;
  // Where packets end, in seconds of the container's time: those of the stream, and of any stream.
  double stream_reach_ = 0;
  double container_reach_ = 0;
};

}  // namespace unianimate::ffmpeg
