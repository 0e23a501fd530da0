// Poses out of videos and pictures.
#pragma once

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/pose/detect/detector.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// Everyone in every frame, with tracks. Decoding, finding and estimating run side by side on `threads` threads (0: one
/// for each core); at most a few frames are in memory at once. Somebody of whom fewer than three body points are seen
/// is left out. Steps of `progress` are frames of its current phase. Throws Error(kInput) where the source fails before
/// its first frame, Error(kCancelled).
PoseSequence extract_poses(FrameSource& source, const PoseDetector& detector, int threads, Progress& progress);

/// Everyone in one picture, the main person first. Empty where there is nobody.
std::vector<Person> extract_people(const Image& picture, const PoseDetector& detector);

}  // namespace unianimate::pose
