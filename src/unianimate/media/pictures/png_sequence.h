// Inside media: a folder of numbered PNG files as a place for frames.
#pragma once

#include <filesystem>
#include <memory>

#include "unianimate/media/pictures/frame_sink.h"

namespace unianimate {

/// Frames go to 0000.png, 0001.png, … in `folder`, which is made where it is missing (its parent must exist). They are
/// written aside; finish() puts them in place of those of an earlier video, see output_folder.h. Nothing else in the
/// folder is touched. Frames must be width×height. Throws Error(kUsage) where the folder holds files so named that this
/// function's sink did not write, Error(kEnvironment) where it cannot be made or written to.
std::unique_ptr<FrameSink> open_png_sequence(const std::filesystem::path& folder, int width, int height);

/// Throws as open_png_sequence() does, but leaves nothing.
void check_png_sequence(const std::filesystem::path& folder);

}  // namespace unianimate
