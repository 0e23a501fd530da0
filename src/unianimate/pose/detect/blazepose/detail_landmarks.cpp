#include "unianimate/pose/detect/blazepose/detail_landmarks.h"

#include <array>
#include <cmath>

namespace unianimate::pose::blazepose {

namespace {

constexpr int kHandSide = 224;
constexpr int kFaceSide = 192;
constexpr std::size_t kMeshPoints = 468;
constexpr std::size_t kAxes = 3;

// Jaw, eyebrows, nose, eyes, mouth: MediaPipe's mesh points that lie where iBUG's 68 are.
constexpr std::array<std::size_t, kFacePoints> kMeshOfFace{
    162, 234, 93,  58,  172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389, 71,  63,  105, 66,  107, 336,
    296, 334, 293, 301, 168, 197, 5,   4,   75,  97,  2,   326, 305, 33,  160, 158, 133, 153, 144, 362, 385, 387, 263,
    373, 380, 61,  39,  37,  0,   267, 269, 291, 405, 314, 17,  84,  181, 78,  82,  13,  312, 308, 317, 14,  87};

double score_of(double presence) {
  constexpr double kPresent = 0.5;
  return presence > kPresent ? presence : 0;
}

Point point_of(std::span<const float> values, std::size_t index, int side, const SquareRegion& region) {
  return region.to_picture({values[index * kAxes] / side, values[index * kAxes + 1] / side});
}

}  // namespace

NetworkInterface HandLandmarker::interface() {
  return {{1, kHandSide, kHandSide, 3}, {{"Identity", {1, kHandPoints * kAxes}}, {"Identity_1", {1, 1}}}};
}

void HandLandmarker::find(const Image& picture, Point wrist, Point index, Point little,
                          std::span<Keypoint, kHandPoints> hand) {
  constexpr double kSideForPalm = 4.5;
  const Point knuckles = middle(index, little);
  SquareRegion region = SquareRegion::pointing(wrist, knuckles, kSideForPalm * distance(wrist, knuckles));
  region.centre = knuckles;
  sample_region(picture, region, kHandSide, inference_.input());
  inference_.run();
  double score = score_of(inference_.output(1)[0]);
  const Point own_wrist = point_of(inference_.output(0), 0, kHandSide, region);
  // The network is sure of hands that it sees in sleeves and curtains, too.
  if (distance(own_wrist, wrist) > distance(wrist, knuckles)) score = 0;
  for (std::size_t i = 0; i < kHandPoints; ++i) {
    hand[i] = {point_of(inference_.output(0), i, kHandSide, region), score};
  }
}

NetworkInterface FaceLandmarker::interface() {
  return {{1, kFaceSide, kFaceSide, 3}, {{"conv2d_21", {1, 1, 1, kMeshPoints * kAxes}}, {"conv2d_31", {1, 1, 1, 1}}}};
}

void FaceLandmarker::find(const Image& picture, const Anchors& anchors, std::span<Keypoint, kFacePoints> face) {
  constexpr double kSideForEars = 2;
  const Point eyes = anchors.left_eye - anchors.right_eye;
  const Point centre = (anchors.nose + anchors.left_eye + anchors.right_eye + anchors.mouth) * 0.25;
  // The person's left eye is on the right of an upright picture.
  const Point up{eyes.y, -eyes.x};
  const SquareRegion region =
      SquareRegion::pointing(centre, centre + up, kSideForEars * distance(anchors.left_ear, anchors.right_ear));
  sample_region(picture, region, kFaceSide, inference_.input());
  inference_.run();
  const double presence = 1 / (1 + std::exp(-static_cast<double>(inference_.output(1)[0])));
  const double score = score_of(presence);
  for (std::size_t i = 0; i < kFacePoints; ++i) {
    face[i] = {point_of(inference_.output(0), kMeshOfFace[i], kFaceSide, region), score};
  }
}

}  // namespace unianimate::pose::blazepose
