// Inside puppet: how somebody must be holding himself for the points to be where they are.
#pragma once

#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/puppet/movement.h"

namespace unianimate::puppet {

/// What stays the same throughout a video, in pixels.
struct BodySize {
  double unit = 0;       ///< height of a body of the usual proportions
  double shoulders = 0;  ///< from one to the other, seen from the front
};

/// From the lengths that bones have where they are seen best, against the person's proportions. `usual`: the unit where
/// no bone is seen in any frame.
BodySize measure_body(const pose::PoseSequence& poses, const Proportions& proportions, double usual);

/// The posture in which a body would have its seen points there, and all 134 points, as Performance describes them.
/// `before`: the moment before, for what is not seen. Depth is not judged.
Stance estimate_stance(const pose::Keypoints& seen, const Identity& identity, const BodySize& size,
                       const Stance& before);

}  // namespace unianimate::puppet
