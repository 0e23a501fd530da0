// Poses as OpenPose and ComfyUI write them, for other programs to read. pose_import.h reads both back.
#pragma once

#include <filesystem>
#include <iosfwd>

#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

// In both formats an unseen point becomes 0, 0, 0, as other programs take every point with a score for a seen one;
// coordinates are in pixels, rounded to thousandths; frame rate, times and which poses were filled in are lost. Face
// points 68 and 69, the pupils, are the body's eyes. All throw Error(kInput) for a number that is not finite.

/// A folder of {folder's name}_000000000000_keypoints.json and so on, one for each frame, as OpenPose 1.3 writes with
/// --write_json: BODY_25 (the middle of the hips where both are seen), face and hands; person_id is the track. Beside
/// it each file tells the canvas and names this program as its generator.
/// The folder's parent must exist. An earlier export in its place is replaced. Throws Error(kUsage) where the folder
/// holds anything else, Error(kEnvironment) where it cannot be written.
void write_openpose(const std::filesystem::path& folder, const PoseSequence& poses);

/// Throws as write_openpose() does for its folder.
void check_openpose_folder(const std::filesystem::path& folder);

/// One file with a list of frames, one a line, as the POSE_KEYPOINT output of ComfyUI's preprocessor nodes has them:
/// 18 body points, 70 face points, hands and feet, null where a part has no seen point. Every seen point has score 1,
/// since those nodes drop points below it. Throws Error(kEnvironment) where it cannot be written.
void write_comfyui(const std::filesystem::path& path, const PoseSequence& poses);
/// The same into a stream; the caller looks whether that went well.
void write_comfyui(std::ostream& out, const PoseSequence& poses);

}  // namespace unianimate::pose
