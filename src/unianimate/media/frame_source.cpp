#include "unianimate/media/frame_source.h"

#include <cmath>

#include "unianimate/core/error.h"
#include "unianimate/media/picture_source.h"
#include "unianimate/media/video_source.h"

namespace unianimate {

namespace fs = std::filesystem;

void FrameSourceOptions::check() const {
  constexpr double kMinFramesPerSecond = 0.01;
  constexpr double kMaxFramesPerSecond = 1000;
  if (!(start_seconds >= 0 && std::isfinite(start_seconds))) {
    throw Error(ErrorKind::kUsage, "the start must be 0 seconds or later, but is {}", start_seconds);
  }
  if (end_seconds && !(*end_seconds > start_seconds)) {
    throw Error(ErrorKind::kUsage, "the end must be later than the start, {} seconds, but is {}", start_seconds,
                *end_seconds);
  }
  if (!(folder_frames_per_second >= kMinFramesPerSecond && folder_frames_per_second <= kMaxFramesPerSecond)) {
    throw Error(ErrorKind::kUsage, "the pictures per second of a folder must lie between {} and {}, but are {}",
                kMinFramesPerSecond, kMaxFramesPerSecond, folder_frames_per_second);
  }
  if (threads < 0) {
    throw Error(ErrorKind::kUsage, "the decoder's threads must be 0 (automatic) or more, but are {}", threads);
  }
}

std::unique_ptr<FrameSource> open_frame_source(const fs::path& path, const FrameSourceOptions& options) {
  options.check();
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (fs::is_directory(status)) return open_picture_folder(path, options);
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::kInput, "the video {} {}; give a video, a picture or a folder of pictures",
                printable(path.string()), fs::exists(status) ? "is not a file" : "does not exist");
  }
  if (is_picture(path)) return open_picture(path, options);
  return open_video_source(path, options);
}

}  // namespace unianimate
