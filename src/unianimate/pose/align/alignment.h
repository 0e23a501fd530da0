// Fitting a motion to a reference person: the driver's movements with the reference's bones, at the reference's place.
#pragma once

#include <array>

#include "unianimate/fields/words.h"
#include "unianimate/media/pictures/framing.h"
#include "unianimate/pose/draw/drawing.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

enum class AlignmentMethod {
  kRobust,     ///< see robust_alignment.h
  kPublished,  ///< exactly as the published tool, but for ratios that are no numbers: see published_alignment.h
};
constexpr auto words(AlignmentMethod /*of*/) {
  return std::array<fields::Word<AlignmentMethod>, 2>{
      {{AlignmentMethod::kRobust, "robust"}, {AlignmentMethod::kPublished, "published"}}};
}

/// Of the poses that are made; pixels.
struct Canvas {
  int width = kCanvasWidth;
  int height = kCanvasHeight;
};

struct AlignmentOptions {
  AlignmentMethod method = AlignmentMethod::kRobust;
  /// Of the robust method: 0 keeps the driver's proportions, 1 takes the reference's.
  double strength = 1;
  /// Of the robust method: no bone changes by more than this factor against the whole figure.
  double max_stretch = 1.8;
  /// Of the robust method: makes the movement from place to place smaller where the figure would leave what is shown.
  bool keep_inside = true;
  Canvas canvas;

  /// Throws Error(kUsage) unless 0 <= strength <= 1, 1 <= max_stretch <= 10 and the canvas has 16 … 8192 pixels a side.
  void check() const;
};

/// The reference person: points in pixels of a width × height picture.
struct ReferencePose {
  Keypoints keypoints{};
  int width = 0;
  int height = 0;
  Framing shown = {};  ///< the part of the picture that the video shows
};

/// `motion`: a sequence of one person; call fill_gaps() first. Frames without a person become empty figures. Every
/// coordinate of the result is finite. Throws Error(kInput) where no frame has a person.
AlignedPoses align_poses(const PoseSequence& motion, const ReferencePose& reference, const AlignmentOptions& options);

}  // namespace unianimate::pose
