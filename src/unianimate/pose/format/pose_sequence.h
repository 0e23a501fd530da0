// The people of a video: what detectors find, files hold and alignment turns into one person on a canvas.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/pose/format/keypoints.h"

namespace unianimate::pose {

struct Person {
  Keypoints keypoints{};
  std::int64_t track = 0;  ///< the same number for the same person in all frames
  /// The points were not found in this frame but filled in from the frames around it.
  bool filled = false;
};

struct PoseFrame {
  double seconds = 0;  ///< from the start of the video
  std::vector<Person> people;
};

/// All points are in pixels of a width × height picture.
struct PoseSequence {
  int width = 0;
  int height = 0;
  double frames_per_second = 0;
  std::string detector;  ///< "dwpose", "blazepose", or the format that was imported
  std::vector<PoseFrame> frames;
  /// What a file that they were read from does not say or says wrongly, and what was made of that; one sentence each.
  std::vector<std::string> notes = {};
};

/// How the driver's bones became the reference's.
struct BoneRatio {
  std::string bone;    ///< "right upper arm"
  double ratio = 1;    ///< by how much it grows beside the whole figure
  std::string source;  ///< "measured", "other side", "whole figure", "limited"; "first frame" as published
};

struct AlignmentReport {
  std::string method;  ///< "published" or "robust"
  double scale_x = 1;  ///< of the whole figure, canvas pixels for each driver pixel
  double scale_y = 1;
  std::vector<BoneRatio> bones;
  std::vector<std::int64_t> missing_frames;  ///< no person was found there: held, filled or left empty
  std::vector<std::string> notes;            ///< what was assumed or adjusted, one sentence each
};

/// A motion fitted to one reference: exactly one person in each frame, in pixels of the canvas that pose pictures are
/// drawn on. A point that is not to be drawn has score 0.
struct AlignedPoses {
  PoseSequence motion;
  Keypoints reference{};  ///< the reference's own pose on the same canvas
  AlignmentReport report;
};

}  // namespace unianimate::pose
