// What is asked of a picture of a person and a motion: the plain facts, checked before any long work.
#pragma once

#include <filesystem>
#include <optional>

#include "unianimate/media/pictures/color.h"
#include "unianimate/pose/align/alignment.h"
#include "unianimate/pose/align/timing.h"
#include "unianimate/pose/align/tracking.h"
#include "unianimate/pose/detect/detector.h"
#include "unianimate/studio/refuse_given.h"
#include "unianimate/studio/video_framing.h"

namespace unianimate::studio {

/// How a motion is taken and fitted.
struct MotionOptions {
  pose::DetectorOptions detector;
  pose::PersonChoice person;          ///< in the motion
  double start_seconds = 0;           ///< part of the motion, from here
  std::optional<double> end_seconds;  ///< to here
  double speed = 1;                   ///< 0.5: slow motion
  /// Of a motion that does not say it; none: pose::kUntoldFramesPerSecond.
  std::optional<double> motion_frames_per_second;
  int import_width = 0;  ///< pixels; of imported poses that do not say it; 0: not known
  int import_height = 0;
  double gap_seconds = pose::kGapSeconds;  ///< what is unseen for no longer is interpolated
  bool smooth = false;
  pose::AlignmentOptions alignment;
  bool preview = true;  ///< make the preview video
};

/// Throws Error(kUsage) for what was given of the options and says nothing beside the others.
void refuse_unused_options(const MotionOptions& options, const RefuseGiven& refuse_given);

struct AlignRequest : MotionOptions {
  std::filesystem::path reference;  ///< picture of the person
  std::optional<Color> background;  ///< shows where that is transparent; see read_reference()
  /// A video, an animation, a picture or a folder of pictures; or poses as import_poses() reads them.
  std::filesystem::path motion;
  std::filesystem::path output;             ///< folder of the pose pictures
  std::optional<double> frames_per_second;  ///< of the poses; none: the motion's own
  /// Of the video that the poses are for: the figure then stays in what it shows, and the canvas suits it. None, or one
  /// that stretches: the whole picture, on the canvas of the alignment.
  std::optional<VideoFrame> frame;
  int threads = 0;  ///< 0: one for each core

  /// Throws Error(kUsage) naming the field.
  void check() const;
};

}  // namespace unianimate::studio
