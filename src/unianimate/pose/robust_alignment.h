// Inside pose: alignment that survives unseen joints, odd first frames and different aspects.
#pragma once

#include "unianimate/pose/alignment.h"

namespace unianimate::pose {

/// Everything happens in pixels of the pictures, so that no aspect bends anything:
/// 1. The figure's scale is the sum of the reference's lengths of torso, shoulders, hips and head over that of the
///    driver's, of those that both show (of any bones, where both show none of these).
/// 2. Each bone's ratio is the reference's length over the driver's, which is a quantile over all frames that show it:
///    foreshortening only ever makes bones short. A bone the reference does not show takes the ratio of the other side,
///    else the figure's scale; `max_stretch` and `strength` apply against the figure's scale.
/// 3. The skeleton is put together again from the neck outwards, each bone in the driver's direction with its own
///    ratio. A joint whose parent is unseen hangs on the nearest seen joint above, by the figure's scale. Hands and
///    feet follow wrists and ankles, the face follows the nose.
/// 4. The neck's way is the driver's times the figure's scale, and begins at the reference's neck; with `keep_inside`
/// it
///    is made smaller, each axis by itself, until what the reference shows of the person stays in the picture.
/// Returns pixels of the reference picture.
AlignedPoses align_robust(const PoseSequence& motion, const ReferencePose& reference, const AlignmentOptions& options);

}  // namespace unianimate::pose
