// From a picture of a person and a motion to a folder of pose pictures and what tells whether they are right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/color.h"
#include "unianimate/pose/align/alignment.h"
#include "unianimate/pose/align/timing.h"
#include "unianimate/pose/align/tracking.h"
#include "unianimate/pose/detect/detector.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

struct AlignRequest {
  std::filesystem::path reference;  ///< picture of the person
  std::optional<Color> background;  ///< shows where that is transparent; see read_reference()
  /// A video, an animation, a picture or a folder of pictures; or poses as import_poses() reads them.
  std::filesystem::path motion;
  std::filesystem::path output;  ///< folder of the pose pictures
  DetectorOptions detector;
  PersonChoice person;                      ///< in the motion
  double start_seconds = 0;                 ///< part of the motion, from here
  std::optional<double> end_seconds;        ///< to here
  double speed = 1;                         ///< 0.5: slow motion
  std::optional<double> frames_per_second;  ///< of the poses; none: the motion's own
  /// Of a motion that does not say it; none: kUntoldFramesPerSecond.
  std::optional<double> motion_frames_per_second;
  int import_width = 0;  ///< pixels; of imported poses that do not say it; 0: not known
  int import_height = 0;
  double gap_seconds = kGapSeconds;  ///< what is unseen for no longer is interpolated
  bool smooth = false;
  AlignmentOptions alignment;
  bool preview = true;  ///< make the preview video
  int threads = 0;      ///< 0: one for each core

  /// Throws Error(kUsage) naming the field.
  void check() const;
};

/// What was made.
struct AlignResult {
  AlignedPoses poses;
  double audio_start_seconds = 0;       ///< where in the motion the poses begin
  bool has_audio = false;               ///< the motion is a video with sound that fits the poses in time
  std::filesystem::path report_folder;  ///< poses.json, contact_sheet.png, bones.png and preview.mp4
  std::int64_t frames_found = 0;        ///< frames of the motion in which the person was found
  std::int64_t frames_looked_at = 0;
  bool from_cache = false;       ///< the detector's results of an earlier run were used
  double detection_seconds = 0;  ///< decoding and detection alone
};

/// Where prepare_poses() puts what is no pose picture: "dance" -> "dance-report", or "dance-report-2" where a file has
/// that name. Files in it that this program did not write are left alone.
std::filesystem::path report_folder(const std::filesystem::path& output);

/// Whether `path` is a JSON file or a folder of them, and so is read by import_poses().
bool holds_pose_numbers(const std::filesystem::path& path);

/// The poses of a poses.json that align made; nothing for anything else.
std::optional<AlignedPoses> read_aligned_poses(const std::filesystem::path& path);

/// What can be known of a motion before anybody is looked for.
struct MotionTimes {
  std::int64_t frames = 0;       ///< of the motion, in its part
  std::int64_t poses = 0;        ///< that prepare_poses() makes of them
  double frames_per_second = 0;  ///< of the poses
  bool has_audio = false;        ///< as AlignResult has it
  std::vector<std::string> notes;
};

/// Reads the times of the motion's frames without decoding more than one of them, and writes nothing. Throws as
/// prepare_poses() does for what shows without decoding.
MotionTimes read_motion_times(const AlignRequest& request);

/// The pose folder at request.output, in which the published program finds nothing but pose pictures, and beside it the
/// report folder. What a detector found in a video is kept there, so that another alignment need not look again.
/// Phases: "load pose models", "find reference", "find people", "draw poses", "preview". Throws Error of every kind;
/// what stood at the output before is only replaced by something complete.
AlignResult prepare_poses(const AlignRequest& request, Progress& progress);

/// Everyone in the motion, without a reference: writes poses.json (kind "detected") and preview.mp4, in which people
/// have their numbers, into the folder request.output. Uses of the request what concerns the motion.
PoseSequence detect_poses(const AlignRequest& request, Progress& progress);

}  // namespace unianimate::pose
