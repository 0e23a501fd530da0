// How long pictures take beside the models, tried out on this machine.
#pragma once

#include "unianimate/pipeline/estimate.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/studio/video_job.h"

namespace unianimate::studio {

/// Writes and reads a short video of the job's kind and size, made of its reference, in a scratch folder. `has_poses`:
/// the job's pose pictures are there; `keeps_job`: frames are kept until the video is done. Throws Error(kInput) where
/// a picture cannot be read, Error(kEnvironment) where nothing can be written.
pipeline::PictureSeconds time_pictures(const VideoJob& job, const pipeline::AnimatePlan& plan, bool has_poses,
                                       bool keeps_job);

}  // namespace unianimate::studio
