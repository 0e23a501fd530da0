// What a face asks for: one video of a person in a picture, moved by a motion or by poses.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "unianimate/studio/job_observer.h"

namespace unianimate::studio {

/// Throws Error(kUsage) where the face was given one of the fields, which are named as the program's options without
/// their dashes: it "has no effect " + `when`.
using RefuseGiven = std::function<void(std::span<const std::string_view> fields, std::string_view when)>;

/// Frames a second of a video of pose pictures, as published.
constexpr double kPublishedFramesPerSecond = 8;

struct VideoOrder {
  VideoJob job;                             ///< its poses: pose pictures, or numbers as pose::import_poses() reads them
  std::filesystem::path motion;             ///< instead of the job's poses; see AlignRequest::motion
  std::optional<double> frames_per_second;  ///< none: as fast as the motion, kPublishedFramesPerSecond without one
  AlignRequest align;    ///< how a motion is taken; reference, motion, output and threads come from elsewhere
  std::string person;    ///< align's as it was asked for, for plans
  std::string detector;  ///< likewise
  std::filesystem::path saved_poses;  ///< folder of the poses; empty: beside the output
  bool keeps_sound = true;            ///< of the motion
  JobKeeping keeping;
  RefuseGiven refuse_given;  ///< empty: a field without effect is passed over

  /// Throws Error(kUsage) unless there is either a motion or poses.
  void check() const;
};

/// Throws Error(kUsage) for what was given of `keeping` and says nothing, because no job is kept.
void refuse_unused_keeping(const JobKeeping& keeping, const RefuseGiven& refuse_given);

}  // namespace unianimate::studio
