// The poses of an order, made ready to animate with.
#pragma once

#include <optional>

#include "unianimate/core/output_rule.h"
#include "unianimate/studio/job_observer.h"
#include "unianimate/studio/video_order.h"

namespace unianimate::studio {

/// Whether pose pictures have to be made first.
bool needs_drawing(const VideoOrder& order);

/// Throws Error(kUsage) for fields of a motion that were given beside pose pictures, which are taken as they are.
void refuse_unused_fields(const VideoOrder& order);

/// What the video shows of ready pose pictures and of the reference, a picture of that size.
Framing frame_pose_pictures(const VideoFrame& frame, PictureSize reference, const family::AnimateRequest& request);

/// The poses of an order whose pose pictures have to be made.
class OrderedPoses {
 public:
  /// `order` and `observer` have to outlive this; `inputs` are not replaced. Throws Error(kUsage) for what the order
  /// gives in vain.
  OrderedPoses(const VideoOrder& order, const VideoFrame& frame, const Inputs& inputs, const VideoJob& job,
               JobObserver& observer);

  /// How many there will be and what they are to be taken from; `job` gets the place of their pictures, the frames a
  /// second and the sound. Nobody is looked for.
  PlannedMotion count(VideoJob& job) const;

  /// What the video shows of the reference, a picture of that size. The person is looked for where it depends on that.
  [[nodiscard]] Framing framing(PictureSize reference) const;

  /// Makes the pose folder; `job`, which has been counted for, gets the framing and what only the poses tell. Notes,
  /// phases and errors as of prepare_poses().
  void make(PictureSize reference, VideoJob& job) const;

 private:
  void put(double frames_per_second, bool has_audio, double audio_start_seconds, VideoJob& job) const;

  const VideoOrder& order_;
  VideoFrame frame_;
  JobObserver& observer_;
  AlignRequest request_;                       ///< of a motion, or of poses that are to be fitted like one
  std::optional<pose::AlignedPoses> aligned_;  ///< that `align` made as numbers: they need only be drawn
};

}  // namespace unianimate::studio
