// Inside media: still pictures as frames.
#pragma once

#include <filesystem>
#include <memory>

#include "unianimate/media/pictures/frame_source.h"

namespace unianimate {

/// The pictures of a folder in natural order, options.folder_frames_per_second apart. Throws as open_frame_source().
std::unique_ptr<FrameSource> open_picture_folder(const std::filesystem::path& folder,
                                                 const FrameSourceOptions& options);

/// One picture, one frame at 0 seconds.
std::unique_ptr<FrameSource> open_picture(const std::filesystem::path& path, const FrameSourceOptions& options);

}  // namespace unianimate
