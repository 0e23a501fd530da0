// Sound to go with a video that is written.
#pragma once

#include <filesystem>

#include "unianimate/media/pictures/image_reader.h"

namespace unianimate {

/// The sound of a file with a video, from `start_seconds` after that video's first frame on.
struct AudioSource {
  std::filesystem::path file;
  double start_seconds = 0;
  ReadLimits limits = {};
};

}  // namespace unianimate
