// Inside media: animated WebP pictures as frames.
#pragma once

#include <filesystem>
#include <memory>

#include "unianimate/media/pictures/frame_source.h"

namespace unianimate {

/// The frames as browsers show them: a frame shown for 10 ms or less stays for 100; without alpha. Throws as
/// open_frame_source().
std::unique_ptr<FrameSource> open_webp_animation(const std::filesystem::path& path, const FrameSourceOptions& options);

}  // namespace unianimate
