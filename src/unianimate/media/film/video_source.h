// Inside media: videos as frames.
#pragma once

#include <filesystem>
#include <memory>

#include "unianimate/media/pictures/frame_source.h"

namespace unianimate {

/// The first video stream of a file that exists. Decodes the first frame at once. Throws as open_frame_source().
std::unique_ptr<FrameSource> open_video_source(const std::filesystem::path& path, const FrameSourceOptions& options);

}  // namespace unianimate
