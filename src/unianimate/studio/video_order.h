// What a face asks for: one video of a person in a picture, moved by a motion or by poses.
#pragma once

#include <array>
#include <filesystem>
#include <optional>

#include "unianimate/fields/words.h"
#include "unianimate/studio/align_request.h"
#include "unianimate/studio/job_keeping.h"
#include "unianimate/studio/refuse_given.h"
#include "unianimate/studio/video_job.h"

namespace unianimate::studio {

/// Frames a second of a video of pose pictures, as published.
constexpr double kPublishedFramesPerSecond = 8;

/// Of the motion, in the result.
enum class Sound { kKeep, kNone };
constexpr auto words(Sound /*of*/) {
  return std::array<fields::Word<Sound>, 2>{{{Sound::kKeep, "keep"}, {Sound::kNone, "none"}}};
}

struct VideoOrder {
  VideoJob job;                             ///< its poses: pose pictures, or numbers as pose::import_poses() reads them
  std::filesystem::path motion;             ///< instead of the job's poses; see AlignRequest::motion
  std::optional<double> frames_per_second;  ///< none: as fast as the motion, kPublishedFramesPerSecond without one
  std::optional<SizeChoice> size;           ///< none: the job's, which is what suits the models
  std::optional<Fit> fit;                   ///< none: stretch where the size is given in pixels, else crop
  MotionOptions motion_options;
  std::filesystem::path saved_poses;  ///< folder of the poses; empty: beside the output
  Sound sound = Sound::kKeep;
  JobKeeping keeping;
  RefuseGiven refuse_given = {};

  /// Throws Error(kUsage) for a number out of its range, and unless there is either a motion or poses.
  void check() const;
  /// What `fit` means.
  [[nodiscard]] Fit chosen_fit() const { return fit.value_or(size && size->pixels ? Fit::kStretch : Fit::kCrop); }
};

}  // namespace unianimate::studio
