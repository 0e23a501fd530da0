// Pictures to files, each whole or not there.
#pragma once

#include <filesystem>
#include <string>

#include "unianimate/media/image.h"

namespace unianimate {

/// A PNG file's bytes: RGB, 8 bits, lossless.
std::string encode_png(const Image& image);
/// A JPEG file's bytes: libjpeg's defaults (4:2:0), quality 1..100, and a comment where one is given. Throws
/// Error(kUsage) for another quality or sides over 65 500 pixels.
std::string encode_jpeg(const Image& image, int quality = 95, const std::string& comment = {});
/// Whether the file at `path` comes from encode_jpeg() with this comment; false where it cannot be read.
bool has_jpeg_comment(const std::filesystem::path& path, const std::string& comment);

/// A PNG file that says in its first text chunk (Software) that this program made it as a frame of a video.
std::string encode_png_frame(const Image& image);
/// Whether the file at `path` comes from encode_png_frame(); false where it cannot be read.
bool is_png_frame(const std::filesystem::path& path);

/// Replace what stands at `path` once the file is whole. Throw Error(kEnvironment) with the path and the reason.
void write_png(const std::filesystem::path& path, const Image& image);
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality = 95);

}  // namespace unianimate
