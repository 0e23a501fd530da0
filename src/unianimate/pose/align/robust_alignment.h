// Inside pose: alignment that survives unseen joints, odd first frames and different aspects.
#pragma once

#include "unianimate/pose/align/alignment.h"

namespace unianimate::pose {

/// Everything happens in pixels of the pictures, so that no aspect bends anything:
/// 1. A bone of the driver has its length of the first frame, because the animation begins at the reference picture;
///    where that frame does not show it, or in a length that the rest of the video makes unlikely, the median of the
///    frames in which the driver holds itself most like the reference.
/// 2. The figure's scale is the sum of the reference's lengths of torso and shoulders over that of the driver's, of
///    those that both show (of any bones, where both show none of these). Each bone's ratio is the reference's length
///    over the driver's scaled one. A bone the reference does not show takes the ratio of the other side, else none;
///    `max_stretch` and `strength` apply to ratios.
/// 3. The skeleton is put together again from the neck outwards, each bone in the driver's direction with its own
///    ratio; hands and feet follow wrists and ankles, the face follows the nose. What would hang on an unseen joint
///    hangs on the nearest seen one above, by the figure's scale.
/// 4. The neck's way is the driver's times the figure's scale, and begins at the reference's neck; `keep_inside` makes
///    it smaller, each axis by itself, until what the reference shows of the person stays in the picture.
/// Returns pixels of the reference picture.
AlignedPoses align_robust(const PoseSequence& motion, const ReferencePose& reference, const AlignmentOptions& options);

}  // namespace unianimate::pose
