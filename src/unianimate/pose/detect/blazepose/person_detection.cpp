#include "unianimate/pose/detect/blazepose/person_detection.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "unianimate/plot/opencv_image.h"

namespace unianimate::pose::blazepose {

namespace {

constexpr int kDetectionSide = 224;
constexpr std::size_t kDetectionRows = 2254;
constexpr std::size_t kColumns = 12;
constexpr double kSure = 0.5;
// Beside somebody else people get lower scores.
constexpr double kPerhaps = 0.25;
constexpr double kOverlapThreshold = 0.3;

/// Centres of the anchors in 0 … 1: of each cell of each grid, row by row, as often as layers look at it.
std::vector<Point> make_anchors() {
  struct Grid {
    int side;
    int anchors_a_cell;
  };
  std::vector<Point> anchors;
  for (const Grid grid : {Grid{28, 2}, Grid{14, 2}, Grid{7, 6}}) {
    for (int row = 0; row < grid.side; ++row) {
      for (int column = 0; column < grid.side; ++column) {
        anchors.insert(anchors.end(), static_cast<std::size_t>(grid.anchors_a_cell),
                       Point{(column + 0.5) / grid.side, (row + 0.5) / grid.side});
      }
    }
  }
  return anchors;
}

struct Candidate {
  double score;
  Box box;
  Point hips;
  Point size_and_turn;
};

/// How the picture lies in the network's square.
struct Letterbox {
  double scale;  ///< network pixels for each picture pixel
  Point corner;  ///< of the picture, in network pixels

  [[nodiscard]] Point to_picture(Point p) const { return (p - corner) * (1 / scale); }
};

Letterbox fill_letterboxed(const Image& picture, std::span<float> input) {
  // −1 … 1, and black around the picture.
  constexpr float kHalf = 127.5F;
  const double scale = static_cast<double>(kDetectionSide) / std::max(picture.width, picture.height);
  const auto scaled = [scale](int sides) {
    return std::clamp(static_cast<int>(std::lround(sides * scale)), 1, kDetectionSide);
  };
  const cv::Rect place((kDetectionSide - scaled(picture.width)) / 2, (kDetectionSide - scaled(picture.height)) / 2,
                       scaled(picture.width), scaled(picture.height));
  const cv::Mat whole = plot::pixels_of(picture);
  cv::Mat square = cv::Mat::zeros(kDetectionSide, kDetectionSide, CV_8UC3);
  cv::Mat inner = square(place);
  cv::resize(whole, inner, place.size(), 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  std::transform(square.datastart, square.dataend, input.begin(), [](std::uint8_t value) { return value / kHalf - 1; });
  return {scale, {static_cast<double>(place.x), static_cast<double>(place.y)}};
}

Candidate read_candidate(std::span<const float> row, Point anchor, double score, const Letterbox& letterbox) {
  const auto at = [&](std::size_t column) { return Point{row[column], row[column + 1]}; };
  const auto in_picture = [&](Point offset) { return letterbox.to_picture(offset + anchor * kDetectionSide); };
  const Point half = at(2) * 0.5;
  const Point first = in_picture(at(0) - half);
  const Point last = in_picture(at(0) + half);
  return {score, {first.x, first.y, last.x, last.y}, in_picture(at(4)), in_picture(at(6))};
}

}  // namespace

SquareRegion body_region(Point hips, Point size_and_turn) {
  constexpr double kSideForRadius = 2.5;
  return SquareRegion::pointing(hips, size_and_turn, kSideForRadius * distance(hips, size_and_turn));
}

NetworkInterface PersonDetection::interface() {
  return {{1, kDetectionSide, kDetectionSide, 3},
          {{"Identity", {1, kDetectionRows, kColumns}}, {"Identity_1", {1, kDetectionRows, 1}}}};
}

std::vector<SquareRegion> PersonDetection::detect(const Image& picture) {
  static const std::vector<Point> anchors = make_anchors();
  const Letterbox letterbox = fill_letterboxed(picture, inference_.input());
  inference_.run();
  const std::span<const float> rows = inference_.output(0);
  const std::span<const float> logits = inference_.output(1);
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < kDetectionRows; ++i) {
    const double score = 1 / (1 + std::exp(-static_cast<double>(logits[i])));
    if (score > kPerhaps) {
      candidates.push_back(read_candidate(rows.subspan(i * kColumns, kColumns), anchors[i], score, letterbox));
    }
  }
  std::ranges::stable_sort(candidates, std::ranges::greater(), &Candidate::score);
  if (candidates.empty() || candidates.front().score <= kSure) return {};
  std::vector<Candidate> kept;
  for (const Candidate& candidate : candidates) {
    const auto covers = [&](const Candidate& better) { return overlap(better.box, candidate.box) > kOverlapThreshold; };
    if (std::ranges::none_of(kept, covers)) kept.push_back(candidate);
  }
  std::vector<SquareRegion> regions;
  for (const Candidate& candidate : kept) regions.push_back(body_region(candidate.hips, candidate.size_and_turn));
  return regions;
}

}  // namespace unianimate::pose::blazepose
