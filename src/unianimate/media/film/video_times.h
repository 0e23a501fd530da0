// Inside media: the times of a video's frames, out of its packets.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "unianimate/media/film/stream_decoder.h"
#include "unianimate/media/pictures/frame_source.h"

namespace unianimate::ffmpeg {

/// Times that grow, of times that somebody tells: the told one where it is later than that before (0 at first), one
/// frame later where it is not, or is NaN.
class FrameClock {
 public:
  explicit FrameClock(double frames_per_second) : step_(1 / frames_per_second) {}

  double at(double told);

 private:
  double step_;
  std::optional<double> last_;
};

struct VideoTimes {
  /// Since the first, increasing; of a million frames at most.
  std::vector<double> seconds;
  double frames_per_second = 0;
  bool has_audio = false;
  bool assumed = false;  ///< frames follow each other at options.folder_frames_per_second for want of times
};

/// Reads the file once, without decoding. Throws as open_input() and check_pixels(), Error(kInput) where there is no
/// video stream.
VideoTimes read_video_times(const std::filesystem::path& path, const FrameSourceOptions& options);

}  // namespace unianimate::ffmpeg
