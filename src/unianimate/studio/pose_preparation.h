// From a picture of a person and a motion to a folder of pose pictures and what tells whether they are right.
#pragma once

#include <cstdint>
#include <filesystem>

#include "unianimate/core/progress.h"
#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/studio/align_request.h"

namespace unianimate::studio {

/// What was made.
struct AlignResult {
  pose::AlignedPoses poses;
  Framing framing;                      ///< what the video shows of the reference and of the pose pictures
  double audio_start_seconds = 0;       ///< where in the motion the poses begin
  bool has_audio = false;               ///< the motion is a video with sound that fits the poses in time
  std::filesystem::path report_folder;  ///< poses.json, contact_sheet.png, bones.png and preview.mp4
  std::int64_t frames_found = 0;        ///< frames of the motion in which the person was found
  std::int64_t frames_looked_at = 0;
  bool from_cache = false;       ///< the detector's results of an earlier run were used
  double detection_seconds = 0;  ///< decoding and detection alone
};

/// The pose folder at request.output, in which the published program finds nothing but pose pictures, and beside it the
/// report folder. What a detector found in a video is kept there, so that another alignment need not look again.
/// Phases: "load pose models", "find reference", "find people", "draw poses", "preview". Throws Error of every kind;
/// what stood at the output before is only replaced by something complete.
AlignResult prepare_poses(const AlignRequest& request, Progress& progress);

/// The framing alone, for plans: the person is looked for where it depends on that.
Framing find_framing(const AlignRequest& request, Progress& progress);

}  // namespace unianimate::studio
