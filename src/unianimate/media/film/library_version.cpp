#include "unianimate/media/film/library_version.h"

extern "C" {
#include <libavutil/avutil.h>
}

namespace unianimate {

std::string ffmpeg_version() {
  return av_version_info();
}

}  // namespace unianimate
