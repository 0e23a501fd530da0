// How long the poses of a motion take, tried out on its beginning.
#pragma once

#include "unianimate/core/progress.h"
#include "unianimate/studio/job_observer.h"

namespace unianimate::studio {

/// Seconds that prepare_poses() is likely to take, or drawing alone where the poses are fitted already: makes poses of
/// the first frames in a scratch folder. Where nobody is found in these, what was timed until then counts. Throws
/// Error(kCancelled) once `progress` says so, Error(kEnvironment) where nothing can be written.
double time_poses(const PlannedMotion& motion, const VideoJob& job, const Progress& progress);

}  // namespace unianimate::studio
