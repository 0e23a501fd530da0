// Frames of a video that shows at a glance whether the poses are right.
#pragma once

#include <vector>

#include "unianimate/pose/format/pose_sequence.h"
#include "unianimate/pose/report/panel.h"

namespace unianimate::pose {

inline constexpr int kPreviewHeight = 512;

/// Paints frames of one size: the driving frame with its skeleton | the aligned skeleton over the reference picture.
/// Each half is kPreviewHeight high and as wide as its picture's aspect wants, rounded to an even number, but within a
/// quarter and four times of the height: there the picture stands in a black box.
class PreviewPainter {
 public:
  /// `driver`: the picture its keypoints belong to; `canvas`: the one of the aligned keypoints.
  PreviewPainter(const Image& reference_picture, PixelSize canvas, PixelSize driver);

  /// Null: nobody. A frame of another size than the driver's is taken to show the same. May be called by several
  /// threads at once.
  [[nodiscard]] Image paint(const Image& driving_frame, const Keypoints* driver, const Keypoints* aligned) const;

 private:
  PixelSize driver_;
  PixelSize driver_box_;
  Panel reference_;
};

/// The size of paint_everyone() for pictures of this size: that of one half of the preview above.
PixelSize preview_size(PixelSize picture);

/// A frame small enough for a preview, with all people and the numbers of their tracks. `source`: the size of the
/// picture that their keypoints belong to.
Image paint_everyone(const Image& frame, PixelSize source, const std::vector<Person>& people);

}  // namespace unianimate::pose
