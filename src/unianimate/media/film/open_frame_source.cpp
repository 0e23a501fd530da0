#include "unianimate/media/film/open_frame_source.h"

#include "unianimate/core/error.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/media/film/picture_source.h"
#include "unianimate/media/film/video_source.h"
#include "unianimate/media/film/webp_animation.h"
#include "unianimate/media/pictures/animation.h"

namespace unianimate {

namespace fs = std::filesystem;

std::unique_ptr<FrameSource> open_frame_source(const fs::path& path, const FrameSourceOptions& options) {
  options.check();
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (fs::is_directory(status)) return open_picture_folder(path, options);
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorKind::kInput, "the video {} {}; give a video, a picture or a folder of pictures{}",
                printable(path.string()), fs::exists(status) ? "is not a file" : "does not exist",
                fs::exists(status) ? "" : path_hint(path));
  }
  const AnimationKind animation = animation_kind(path);
  if (animation == AnimationKind::kWebp) return open_webp_animation(path, options);
  if (animation == AnimationKind::kNone && is_picture(path)) return open_picture(path, options);
  return open_video_source(path, options);
}

}  // namespace unianimate
