// Inside pose: turned squares of a picture, as the landmark networks want to see them.
#pragma once

#include <span>

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/format/keypoints.h"

namespace unianimate::pose {

/// A square of the picture, possibly turned, possibly reaching outside.
struct SquareRegion {
  Point centre;           ///< pixels
  double side = 0;        ///< pixels
  Point up{0, -1};        ///< of length 1: what shall point upwards in the crop
  bool mirrored = false;  ///< left and right exchanged in the crop

  /// Centred on `centre`, turned so that `towards` lies straight above; upright where the two coincide.
  static SquareRegion pointing(Point centre, Point towards, double side);

  /// From the crop, x and y in 0 … 1, to the picture.
  [[nodiscard]] Point to_picture(Point crop) const;
};

/// Fills `crop` (size × size × 3, RGB, 0 … 1) by bilinear sampling with pixel centres at halves; 0 outside the picture.
/// Where the picture is more than 1.5 times as fine as the crop it is first shrunk by averaging areas.
void sample_region(const Image& picture, const SquareRegion& region, int size, std::span<float> crop);

}  // namespace unianimate::pose
