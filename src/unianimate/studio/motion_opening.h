// What the motion of a request is: pictures that have a time each, or numbers.
#pragma once

#include <filesystem>
#include <memory>

#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/studio/align_request.h"

namespace unianimate::studio {

/// Whether `path` is a JSON file or a folder of them, and so is read by pose::import_poses().
bool holds_pose_numbers(const std::filesystem::path& path);

/// How the request's part of its motion is read.
FrameSourceOptions source_options(const AlignRequest& request);

/// Null where the motion is no pictures but numbers. `draft`: for a look. Throws as open_frame_source().
std::unique_ptr<FrameSource> open_motion(const AlignRequest& request, bool draft);

}  // namespace unianimate::studio
