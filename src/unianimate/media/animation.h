// Files that begin as a still picture does and hold a motion.
#pragma once

#include <filesystem>

namespace unianimate {

/// Whether the file is an animated PNG, WebP or GIF, JPEG pictures one after the other (MJPEG), or a HEIC or AVIF file
/// with a sequence: open_frame_source() gives its frames, the first of which stands for it where one picture is needed.
/// False where several pictures are no motion (the views of an MPO file), for all other files, and where it cannot be
/// read. Nothing is decoded.
[[nodiscard]] bool is_animation(const std::filesystem::path& path);

}  // namespace unianimate
