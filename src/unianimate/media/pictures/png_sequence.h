// Inside media: a folder of numbered PNG files as a place for frames.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "unianimate/media/pictures/frame_sink.h"

namespace unianimate {

/// Frames go to 0000.png, 0001.png, … (of more than 10 000 with as many digits as the last one needs) in `folder`,
/// which is made where it is missing (its parent must exist). They are written aside; finish() puts them in place of
/// those of an earlier video, see output_folder.h. Nothing else in the folder is touched. Frames must be width×height.
/// Throws Error(kUsage) where the folder holds files so named that this function's sink did not write,
/// Error(kEnvironment) where it cannot be made or written to.
std::unique_ptr<FrameSink> open_png_sequence(const std::filesystem::path& folder, int width, int height);

/// Renames 0000.png, 0001.png, …, of which there are so many, where the last has more digits, so that programs which
/// sort names as text find them in order. Throws Error(kEnvironment).
void give_equal_lengths(const std::filesystem::path& folder, std::size_t frames);

/// Throws as open_png_sequence() does, but leaves nothing.
void check_png_sequence(const std::filesystem::path& folder);

}  // namespace unianimate
