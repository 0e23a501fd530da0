#include "unianimate/studio/motion_opening.h"

#include <system_error>

#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/pictures/image_reader.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

bool holds_pose_numbers(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path.extension() == ".json";
  bool numbers = false;
  bool pictures = false;
  fs::directory_iterator entry(path, ignored);
  for (; !ignored && entry != fs::directory_iterator(); entry.increment(ignored)) {
    if (entry->path().filename().string().ends_with("_keypoints.json")) return true;
    numbers = numbers || entry->path().extension() == ".json";
    pictures = pictures || is_picture(entry->path());
  }
  return numbers && !pictures;
}

FrameSourceOptions source_options(const AlignRequest& request) {
  FrameSourceOptions options;
  options.start_seconds = request.start_seconds;
  options.end_seconds = request.end_seconds;
  options.folder_frames_per_second = request.motion_frames_per_second.value_or(pose::kUntoldFramesPerSecond);
  options.threads = request.threads;
  return options;
}

std::unique_ptr<FrameSource> open_motion(const AlignRequest& request, bool draft) {
  if (holds_pose_numbers(request.motion)) return nullptr;
  FrameSourceOptions options = source_options(request);
  options.draft = draft;
  return open_frame_source(request.motion, options);
}

}  // namespace unianimate::studio
