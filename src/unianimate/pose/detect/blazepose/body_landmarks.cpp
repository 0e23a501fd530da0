#include "unianimate/pose/detect/blazepose/body_landmarks.h"

#include <cmath>

#include "unianimate/pose/detect/blazepose/person_detection.h"

namespace unianimate::pose::blazepose {

namespace {

constexpr int kBodySide = 256;
constexpr std::size_t kValues = 5;  // x, y, z, visibility, presence
constexpr std::size_t kHipCentre = 33;
constexpr std::size_t kSizeAndTurn = 34;
constexpr std::size_t kBodyRows = 39;
constexpr std::size_t kVisibility = 3;

/// The same landmark on the other side: after the nose come left and right by turns, but the eyes by threes.
constexpr std::size_t other_side(std::size_t landmark) {
  constexpr std::size_t kFirstLeftEye = 1;
  constexpr std::size_t kFirstRightEye = 4;
  constexpr std::size_t kLeftEar = 7;
  if (landmark < kFirstLeftEye) return landmark;
  if (landmark < kFirstRightEye) return landmark + 3;
  if (landmark < kLeftEar) return landmark - 3;
  return landmark % 2 == 1 ? landmark + 1 : landmark - 1;
}

}  // namespace

NetworkInterface BodyLandmarker::interface() {
  return {{1, kBodySide, kBodySide, 3}, {{"Identity", {1, kBodyRows * kValues}}, {"Identity_1", {1, 1}}}};
}

BodyLandmarks BodyLandmarker::find(const Image& picture, const SquareRegion& region) {
  sample_region(picture, region, kBodySide, inference_.input());
  inference_.run();
  const std::span<const float> rows = inference_.output(0);
  const auto point = [&](std::size_t row) {
    return region.to_picture({rows[row * kValues] / kBodySide, rows[row * kValues + 1] / kBodySide});
  };
  BodyLandmarks found;
  for (std::size_t i = 0; i < kBodyLandmarks; ++i) {
    const std::size_t landmark = region.mirrored ? other_side(i) : i;
    const double visibility = rows[landmark * kValues + kVisibility];
    found.points[i] = {point(landmark), 1 / (1 + std::exp(-visibility))};
  }
  found.presence = inference_.output(1)[0];
  found.region = body_region(point(kHipCentre), point(kSizeAndTurn));
  return found;
}

BodyLandmarks BodyLandmarker::find_precisely(const Image& picture, const SquareRegion& region) {
  SquareRegion mirrored_region = region;
  mirrored_region.mirrored = !region.mirrored;
  BodyLandmarks mean = find(picture, region);
  const BodyLandmarks other = find(picture, mirrored_region);
  for (std::size_t i = 0; i < kBodyLandmarks; ++i) {
    mean.points[i].at = middle(mean.points[i].at, other.points[i].at);
    mean.points[i].score = (mean.points[i].score + other.points[i].score) / 2;
  }
  mean.presence = (mean.presence + other.presence) / 2;
  const Point centre = middle(mean.region.centre, other.region.centre);
  const double side = (mean.region.side + other.region.side) / 2;
  mean.region = SquareRegion::pointing(centre, centre + mean.region.up + other.region.up, side);
  return mean;
}

}  // namespace unianimate::pose::blazepose
