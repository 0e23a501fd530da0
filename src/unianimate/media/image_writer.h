// Pictures to files, each whole or not there.
#pragma once

#include <filesystem>
#include <string>

#include "unianimate/media/image.h"

namespace unianimate {

/// A PNG file's bytes: RGB, 8 bits, lossless.
std::string encode_png(const Image& image);
/// A JPEG file's bytes: libjpeg's defaults (4:2:0), quality 1..100. Throws Error(kUsage) for another quality or sides
/// over 65 500 pixels.
std::string encode_jpeg(const Image& image, int quality = 95);

/// Replace what stands at `path` once the file is whole. Throw Error(kEnvironment) with the path and the reason.
void write_png(const std::filesystem::path& path, const Image& image);
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality = 95);

}  // namespace unianimate
