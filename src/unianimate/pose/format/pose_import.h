// Poses out of any file that holds them as numbers: this program's, OpenPose's or ComfyUI's.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// What other programs' files do not tell; not looked at where a file does.
struct ImportOptions {
  int width = 0;  ///< pixels of the picture that the poses were found in; 0 for both: not known
  int height = 0;
  double frames_per_second = 30;

  /// Throws Error(kUsage) naming the field.
  void check() const;
};

/// Tells by its content what `path` is:
/// - poses.json (see pose_json.h); of aligned poses, the motion;
/// - ComfyUI's POSE_KEYPOINT: a list of frames {"people": […], "canvas_width": …, "canvas_height": …};
/// - one frame of OpenPose's: an object with "people", with or without a canvas;
/// - a folder of those: *_keypoints.json, or where there is none *.json, one frame each, in the order of the numbers in
///   their names (see numbers_of_names()). Numbers left out between them become frames without people, 100 000 at most.
///
/// Of each person pose_keypoints_2d (18 points of COCO or 25 of BODY_25, whose middle of the hips is dropped),
/// foot_keypoints_2d (6), face_keypoints_2d (68, or 70 of which the pupils are dropped), hand_left_keypoints_2d and
/// hand_right_keypoints_2d (21) are read, all optional, x, y and score of each point in one flat list or as lists of
/// three; the same names without _2d, as OpenPose 1.0 had them, too. Missing points get score 0, and so do those of
/// which a number is null, NaN or infinite. A person without any is left out; animals are passed over. A face, hand or
/// foot that cannot be understood counts as missing, and a person whose body cannot be, too: PoseSequence::notes tells
/// how many and where first. Where that leaves nobody in any frame, the first of them is refused.
///
/// Body with feet, face and either hand are each taken for normalised where all their seen points (score over 0) in
/// all frames lie within -1 … 2, else for pixels. Where more than a quarter of normalised coordinates are negative,
/// they are refused, for OpenPose's --keypoint_scale 4 (-1 … 1) is meant.
/// Width and height are the canvas's, else those of the options, else the smallest that hold all seen points;
/// normalised points need one of the former two.
///
/// Throws Error(kInput), naming file, frame, person and field, for what cannot be understood, for a canvas that changes
/// and beyond the limits of read_poses(); Error(kUsage) for wrong options and where the size is needed;
/// Error(kEnvironment) for what cannot be read.
PoseSequence import_poses(const std::filesystem::path& path, const ImportOptions& options = {});
/// The same from the text of one file; `name` stands for the path in messages.
PoseSequence parse_any_poses(std::string_view text, const std::string& name, const ImportOptions& options = {});

}  // namespace unianimate::pose
