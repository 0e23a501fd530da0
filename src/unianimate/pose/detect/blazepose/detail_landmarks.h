// Inside pose: MediaPipe's landmarks of hands and face, each in a square that the body's landmarks give.
#pragma once

#include <span>

#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/detect/network.h"
#include "unianimate/pose/detect/square_region.h"

namespace unianimate::pose::blazepose {

/// Both fill in points in picture pixels; score: the presence where it is over 0.5, else 0.
class HandLandmarker {
 public:
  explicit HandLandmarker(const Network& network) : inference_(network) {}
  /// The interface of hand_landmark_full.tflite and of hand_landmark_lite.tflite.
  static NetworkInterface interface();

  /// From the body's wrist and the bases of index and little finger. A hand that does not begin near that wrist has
  /// score 0.
  void find(const Image& picture, Point wrist, Point index, Point little, std::span<Keypoint, kHandPoints> hand);

 private:
  Inference inference_;
};

class FaceLandmarker {
 public:
  explicit FaceLandmarker(const Network& network) : inference_(network) {}
  /// The interface of face_landmark.tflite.
  static NetworkInterface interface();

  struct Anchors {
    Point nose;
    Point left_eye;
    Point right_eye;
    Point mouth;
    Point left_ear;
    Point right_ear;
  };
  /// The 68 points of iBUG's numbering, taken out of MediaPipe's 468.
  void find(const Image& picture, const Anchors& anchors, std::span<Keypoint, kFacePoints> face);

 private:
  Inference inference_;
};

}  // namespace unianimate::pose::blazepose
