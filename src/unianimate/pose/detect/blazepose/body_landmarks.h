// Inside pose: MediaPipe's body landmarks in a square around one person.
#pragma once

#include <array>

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/detect/network.h"
#include "unianimate/pose/detect/square_region.h"

namespace unianimate::pose::blazepose {

/// MediaPipe's points 0 … 32, in its order.
inline constexpr std::size_t kBodyLandmarks = 33;

struct BodyLandmarks {
  std::array<Keypoint, kBodyLandmarks> points{};  ///< picture pixels; score: how likely it can be seen
  double presence = 0;                            ///< 0 … 1 that there is a person
  SquareRegion region;                            ///< where the same person is to be looked for next
};

class BodyLandmarker {
 public:
  explicit BodyLandmarker(const Network& network) : inference_(network) {}
  /// The interface of pose_landmark_full.tflite.
  static NetworkInterface interface();

  BodyLandmarks find(const Image& picture, const SquareRegion& region);
  /// The mean of the crop's landmarks and those of the mirrored crop: twice the work, more precise.
  BodyLandmarks find_precisely(const Image& picture, const SquareRegion& region);

 private:
  Inference inference_;
};

}  // namespace unianimate::pose::blazepose
