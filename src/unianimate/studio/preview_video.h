// The videos that show whether poses are right.
#pragma once

#include <filesystem>

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/align/timing.h"
#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/studio/align_request.h"

namespace unianimate::studio {

/// The motion with the driver's pose, the aligned pose, and the reference, see pose::PreviewPainter. Phase: "preview".
/// Throws as open_frame_source() and open_video_writer(), Error(kCancelled).
void write_preview(const AlignRequest& request, const std::filesystem::path& file, const pose::PoseSequence& driver,
                   const pose::HeldPauses& pauses, const pose::AlignedPoses& poses, const Image& reference,
                   Progress& progress);

/// The motion with everyone's number. Likewise.
void write_preview_of_everyone(const AlignRequest& request, const std::filesystem::path& file,
                               const pose::PoseSequence& everyone, Progress& progress);

}  // namespace unianimate::studio
