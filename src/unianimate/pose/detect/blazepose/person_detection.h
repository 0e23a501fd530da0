// Inside pose: MediaPipe's person detector, which looks at a whole picture.
#pragma once

#include <filesystem>
#include <vector>

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/detect/network.h"
#include "unianimate/pose/detect/square_region.h"

namespace unianimate::pose::blazepose {

/// The square a landmark network is to look at, from two alignment points: the middle of the hips, and one that gives
/// size and turn of the whole body.
SquareRegion body_region(Point hips, Point size_and_turn);

class PersonDetection {
 public:
  explicit PersonDetection(const Network& network) : inference_(network) {}
  /// The interface of pose_detection.tflite.
  static NetworkInterface interface();

  /// Where people may be, the surest first, after non-maximum suppression at IoU 0.3: nobody unless one has a score
  /// over 0.5, and then everyone over 0.25, of whom the landmarks will tell whether they are people.
  std::vector<SquareRegion> detect(const Image& picture);

 private:
  Inference inference_;
};

}  // namespace unianimate::pose::blazepose
