#include "unianimate/pose/detect/square_region.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "unianimate/plot/opencv_image.h"

namespace unianimate::pose {

namespace {

/// Part of a picture, perhaps shrunk.
struct Part {
  cv::Mat pixels;
  double left = 0;
  double top = 0;
  double shrink = 1;
};

cv::Rect bounds(const SquareRegion& region, const Image& picture) {
  double left = std::numeric_limits<double>::infinity();
  double top = left;
  double right = -left;
  double bottom = -left;
  for (const Point corner : {Point{0, 0}, Point{1, 0}, Point{0, 1}, Point{1, 1}}) {
    const Point p = region.to_picture(corner);
    left = std::min(left, p.x);
    right = std::max(right, p.x);
    top = std::min(top, p.y);
    bottom = std::max(bottom, p.y);
  }
  const auto limited = [](double value, int most) { return static_cast<int>(std::clamp<double>(value, 0, most)); };
  const cv::Point first(limited(std::floor(left) - 1, picture.width), limited(std::floor(top) - 1, picture.height));
  const cv::Point end(limited(std::ceil(right) + 2, picture.width), limited(std::ceil(bottom) + 2, picture.height));
  return {first, end};
}

Part shrunk_part(const Image& picture, const SquareRegion& region, int size) {
  constexpr double kFineEnough = 1.5;
  constexpr int kMostShrink = 64;
  const cv::Mat whole = plot::pixels_of(picture);
  const double fineness = region.side / size;
  if (fineness <= kFineEnough) return {whole};
  const cv::Rect rect = bounds(region, picture);
  if (rect.empty()) return {whole};
  // Halving is fast. More of the picture is added where the part is no multiple of the factor, and black behind its
  // end.
  int factor = 2;
  while (fineness / factor > kFineEnough && factor < kMostShrink) factor *= 2;
  const auto missing = [factor](int sides) { return (factor - sides % factor) % factor; };
  cv::Mat part;
  cv::copyMakeBorder(whole(rect), part, 0, missing(rect.height), 0, missing(rect.width), cv::BORDER_CONSTANT);
  for (int halved = 1; halved < factor; halved *= 2) {
    cv::resize(part, part, {part.cols / 2, part.rows / 2}, 0, 0, cv::INTER_AREA);
  }
  return {part, static_cast<double>(rect.x), static_cast<double>(rect.y), static_cast<double>(factor)};
}

}  // namespace

SquareRegion SquareRegion::pointing(Point centre, Point towards, double side) {
  const Point direction = towards - centre;
  const double size = length(direction);
  return {centre, side, size > 0 ? direction * (1 / size) : Point{0, -1}};
}

Point SquareRegion::to_picture(Point crop) const {
  const double across = ((mirrored ? 1 - crop.x : crop.x) - 0.5) * side;
  const double down = (crop.y - 0.5) * side;
  const Point right{-up.y, up.x};
  return centre + right * across - up * down;
}

void sample_region(const Image& picture, const SquareRegion& region, int size, std::span<float> crop) {
  constexpr float kWhite = 255;
  const Part part = shrunk_part(picture, region, size);
  const auto source = [&](double column, double row) {
    const Point p = region.to_picture({(column + 0.5) / size, (row + 0.5) / size});
    return Point{(p.x - part.left) / part.shrink - 0.5, (p.y - part.top) / part.shrink - 0.5};
  };
  const Point origin = source(0, 0);
  const Point along = source(1, 0) - origin;
  const Point down = source(0, 1) - origin;
  const cv::Matx23d to_source(along.x, down.x, origin.x, along.y, down.y, origin.y);
  cv::Mat bytes;
  cv::warpAffine(part.pixels, bytes, to_source, {size, size}, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP);
  std::transform(bytes.datastart, bytes.dataend, crop.begin(), [](std::uint8_t value) { return value / kWhite; });
}

}  // namespace unianimate::pose
