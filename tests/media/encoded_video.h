// Videos that other programs make, made by FFmpeg: every container that is read.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "unianimate/media/pictures/image.h"

namespace unianimate::testing {

/// By FFmpeg's names.
struct Encoding {
  const char* name;  ///< of the demuxer that reads it, or of the kind
  const char* muxer;
  const char* encoder;
  const char* pixel_format;
};

/// One for each container that FFmpeg may open, AVIF, which is read as MP4, and animated WebP, which is read otherwise.
std::span<const Encoding> every_container();

/// Frame i is shown at seconds[i]. Throws std::runtime_error where FFmpeg cannot.
void write_encoded(const std::filesystem::path& path, const Encoding& encoding, const std::vector<Image>& frames,
                   const std::vector<double>& seconds, int ticks_per_second = 25);

}  // namespace unianimate::testing
