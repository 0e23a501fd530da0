// Where frames come from, one by one, each with its time: videos, folders of pictures, single pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unianimate/media/pictures/image.h"
#include "unianimate/media/pictures/image_reader.h"

namespace unianimate {

struct TimedFrame {
  Image image;
  /// Since the source's first frame, which is at 0, whatever part of the source is read. Finite and greater than that
  /// of the frame before; how much greater is for the source to say, so it bounds nothing.
  double seconds = 0;
};

struct FrameSourceInfo {
  /// Of every frame, upright and with square pixels.
  int width = 0;
  int height = 0;
  /// The rate of the frames' own times, see frame_rate(). Above 0.
  double frames_per_second = 0;
  /// Frames in the part that is read, and when they are shown, as far as that can be told without decoding them, which
  /// may give others; of a million frames of a source at most.
  std::int64_t frame_count = 0;
  std::vector<double> seconds;
  /// For people: "h264 video, yuv420p", "folder of 150 pictures".
  std::string description;
  bool has_audio = false;
  /// What was assumed or left out, one sentence each, for people.
  std::vector<std::string> notes;
};

struct FrameSourceOptions {
  /// Frames with start_seconds <= TimedFrame::seconds < end_seconds are given.
  double start_seconds = 0;
  std::optional<double> end_seconds = {};
  /// Pictures of a folder, and those of a file that tells no times (MJPEG, some raw H.264), follow each other at this
  /// rate.
  double folder_frames_per_second = 16;
  /// Of the decoder; 0: as many as suit the machine.
  int threads = 0;
  /// Decoders may leave out what only makes edges smoother: faster, for a look.
  bool draft = false;
  ReadLimits limits = {};

  /// Throws Error(kUsage) unless 0 <= start_seconds < end_seconds, the rate lies between 0.01 and 1000, and
  /// threads >= 0.
  void check() const;
  /// Whether a frame shown at this time is given.
  [[nodiscard]] bool holds(double seconds) const {
    return seconds >= start_seconds && (!end_seconds || seconds < *end_seconds);
  }
};

/// Not to be shared between threads.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;

  [[nodiscard]] virtual const FrameSourceInfo& info() const = 0;

  /// The next frame in order of display; nothing after the last. Damage does not end the frames: what can be decoded is
  /// given, at its time, and trouble() tells of the rest.
  virtual std::optional<TimedFrame> next() = 0;

  /// What was wrong so far although there were frames: "the file ends early, after 57 frames". Empty while all is well.
  [[nodiscard]] virtual std::string trouble() const = 0;

 protected:
  FrameSource() = default;
};

/// What a small file may unfold to: an hour of 1920×1080 pixels at 60 frames a second is less.
constexpr std::int64_t kMaxTotalPixels = 500'000'000'000;

/// Throws Error(kInput) where frames have more pixels than the limits allow, each or all together.
void check_pixels(const std::filesystem::path& path, const ReadLimits& limits, std::int64_t width, std::int64_t height,
                  std::int64_t frames);

/// Of the times of a source's frames, which increase, those in the part. Throws Error(kInput) where there are frames
/// but none in the part, and says where they end.
std::vector<double> times_in_part(const std::filesystem::path& path, const FrameSourceOptions& options,
                                  std::span<const double> seconds, double frames_per_second);

}  // namespace unianimate
