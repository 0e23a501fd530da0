// A clip's poses as alignment would give them.
#pragma once

#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/puppet/clip.h"

namespace unianimate::puppet {

/// The poses of all frames and of the reference, on a canvas as wide as published pose pictures.
pose::AlignedPoses poses_of(const Clip& clip);

}  // namespace unianimate::puppet
