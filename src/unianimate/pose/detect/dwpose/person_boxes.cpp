#include "unianimate/pose/detect/dwpose/person_boxes.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "unianimate/plot/opencv_image.h"

namespace unianimate::pose::dwpose {

namespace {

constexpr std::uint8_t kPadding = 114;
constexpr float kLeastScore = 0.1F;
constexpr float kPersonScore = 0.3F;
constexpr double kOverlapThreshold = 0.45;
// Columns of a row: x, y, width, height, objectness, then the classes, of which person is the first.
constexpr std::size_t kObjectness = 4;
constexpr std::size_t kPerson = 5;

struct Candidate {
  float score;
  Box box;
};

double published_overlap(const Box& a, const Box& b) {
  const auto extent = [](double first, double last) { return std::max(0.0, last - first + 1); };
  const auto area = [](const Box& box) { return (box.width() + 1) * (box.height() + 1); };
  const double shared = extent(std::max(a.left, b.left), std::min(a.right, b.right)) *
                        extent(std::max(a.top, b.top), std::min(a.bottom, b.bottom));
  return shared / (area(a) + area(b) - shared);
}

/// A row's box in network pixels, given the cell it belongs to.
Box decode(std::span<const float> row, int column, int line, int stride) {
  const auto step = static_cast<float>(stride);
  const float x = (row[0] + static_cast<float>(column)) * step;
  const float y = (row[1] + static_cast<float>(line)) * step;
  const float width = std::exp(row[2]) * step;
  const float height = std::exp(row[3]) * step;
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

bool is_finite(const Box& box) {
  return std::isfinite(box.left) && std::isfinite(box.top) && std::isfinite(box.right) && std::isfinite(box.bottom);
}

}  // namespace

NetworkInterface yolox_interface() {
  return {{1, 3, kYoloxSide, kYoloxSide}, {{"output", {1, kYoloxRows, kYoloxColumns}}}};
}

double fill_yolox_input(const Image& picture, std::span<float> input) {
  const double scale =
      std::min(static_cast<double>(kYoloxSide) / picture.height, static_cast<double>(kYoloxSide) / picture.width);
  const auto scaled = [scale](int side) { return std::max(1, static_cast<int>(side * scale)); };
  const cv::Mat whole = plot::pixels_of(picture);
  cv::Mat square(kYoloxSide, kYoloxSide, CV_8UC3, cv::Scalar::all(kPadding));
  cv::Mat place = square(cv::Rect(0, 0, scaled(picture.width), scaled(picture.height)));
  cv::resize(whole, place, place.size(), 0, 0, cv::INTER_LINEAR);
  constexpr std::size_t kPlane = std::size_t{kYoloxSide} * kYoloxSide;
  const std::uint8_t* pixel = square.data;
  for (std::size_t i = 0; i < kPlane; ++i, pixel += Image::kChannels) {
    for (std::size_t channel = 0; channel < Image::kChannels; ++channel) {
      input[channel * kPlane + i] = pixel[Image::kChannels - 1 - channel];
    }
  }
  return scale;
}

std::vector<Box> read_person_boxes(std::span<const float> output, double scale) {
  std::vector<Candidate> candidates;
  std::size_t index = 0;
  for (const int stride : {8, 16, 32}) {
    const int cells = kYoloxSide / stride;
    for (int cell = 0; cell < cells * cells; ++cell, ++index) {
      const std::span<const float> row = output.subspan(index * kYoloxColumns, kYoloxColumns);
      const float score = row[kObjectness] * row[kPerson];
      if (!(score > kLeastScore)) continue;
      const Box box = decode(row, cell % cells, cell / cells, stride);
      const double back = 1 / scale;
      if (is_finite(box)) {
        candidates.push_back({score, {box.left * back, box.top * back, box.right * back, box.bottom * back}});
      }
    }
  }
  std::ranges::stable_sort(candidates, std::ranges::greater(), &Candidate::score);
  std::vector<Box> kept;
  for (const Candidate& candidate : candidates) {
    if (candidate.score <= kPersonScore) break;
    const auto covers = [&](const Box& better) { return published_overlap(better, candidate.box) > kOverlapThreshold; };
    if (std::ranges::none_of(kept, covers)) kept.push_back(candidate.box);
  }
  return kept;
}

}  // namespace unianimate::pose::dwpose
