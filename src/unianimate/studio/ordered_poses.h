// The poses of an order, made ready to animate with.
#pragma once

#include <cstdint>
#include <optional>

#include "unianimate/core/output_rule.h"
#include "unianimate/studio/job_observer.h"
#include "unianimate/studio/video_order.h"

namespace unianimate::studio {

/// Whether pose pictures have to be made first.
bool needs_drawing(const VideoOrder& order);

/// Throws Error(kUsage) for fields of a motion that were given beside pose pictures, which are taken as they are.
void refuse_unused_fields(const VideoOrder& order);

/// Puts what the video shows of ready pose pictures and of the reference into `request`.
void frame_pose_pictures(const VideoFrame& frame, family::AnimateRequest& request);

/// How many poses there will be; `job` gets what is known of it beforehand, but for the framing.
std::int64_t count_poses(const VideoOrder& order, const VideoFrame& frame, const Inputs& inputs, VideoJob& job,
                         JobObserver& observer);

/// Makes the pose folder and puts it, the framing, the frames a second and the sound into `job`. Where the video is
/// only `planned` the poses are counted instead, and what they are to be taken from comes back. Notes, phases and
/// errors as of prepare_poses(). `inputs` are not replaced.
std::optional<PlannedMotion> take_poses(const VideoOrder& order, const VideoFrame& frame, bool planned,
                                        const Inputs& inputs, VideoJob& job, JobObserver& observer);

}  // namespace unianimate::studio
