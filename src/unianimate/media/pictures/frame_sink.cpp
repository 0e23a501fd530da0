#include "unianimate/media/pictures/frame_sink.h"

#include "unianimate/core/error.h"

namespace unianimate {

void check_frame_size(const Image& frame, int width, int height) {
  if (frame.width == width && frame.height == height) return;
  throw Error(ErrorKind::kUsage, "every frame of the video must be {}×{} pixels, but one is {}×{}", width, height,
              frame.width, frame.height);
}

void check_frame_count(std::int64_t count, const std::filesystem::path& output) {
  if (count > 0) return;
  throw Error(ErrorKind::kUsage, "{} would hold no frames; a video needs at least one", output.string());
}

}  // namespace unianimate
