// Pictures to files, each whole or not there.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "unianimate/media/pictures/image.h"

namespace unianimate {

/// A PNG file's bytes: RGB, 8 bits, lossless; with a mark (written_mark.h) as its first text chunk, Software, where one
/// is given.
std::string encode_png(const Image& image, std::string_view mark = {});
/// A JPEG file's bytes: libjpeg's defaults (4:2:0), quality 1..100, with a mark as its comment where one is given.
/// Throws Error(kUsage) for another quality or sides over 65 500 pixels.
std::string encode_jpeg(const Image& image, int quality = 95, std::string_view mark = {});

/// Replace what stands at `path` once the file is whole, which then has the mark kPictureMark (a JPEG none). Throw
/// Error(kEnvironment) with the path and the reason.
void write_png(const std::filesystem::path& path, const Image& image);
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality = 95);

}  // namespace unianimate
