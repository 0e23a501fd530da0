// The files that an animation of a procedural person starts from.
#pragma once

#include <filesystem>

#include "unianimate/core/progress.h"
#include "unianimate/family/request.h"
#include "unianimate/puppet/clip.h"

namespace unianimate::evaluation {

/// Writes the reference picture and the pose folder of `clip` into `folder`, unless an earlier call has done so, and
/// names them in `request`. `from_first_frame`: the reference is the clip's
/// first frame. Throws Error(kEnvironment) where the files cannot be written.
void write_person_inputs(const puppet::Clip& clip, bool from_first_frame, const std::filesystem::path& folder,
                         family::AnimateRequest& request, Progress& progress);

}  // namespace unianimate::evaluation
