#include "unianimate/pose/report/panel.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "unianimate/plot/page.h"
#include "unianimate/pose/draw/drawing.h"

namespace unianimate::pose {

namespace {

using plot::pixels_of;

cv::Rect place_in_box(const Image& picture, PixelSize box) {
  // Of a box that has the picture's own aspect, rounded to whole or even pixels, no line is left over.
  constexpr int kRounding = 2;
  PixelSize size = fitted_size({picture.width, picture.height}, box);
  if (box.width - size.width <= kRounding) size.width = box.width;
  if (box.height - size.height <= kRounding) size.height = box.height;
  return {(box.width - size.width) / 2, (box.height - size.height) / 2, size.width, size.height};
}

/// Shrinks to `size` or more by a whole factor, which is many times faster than by a broken one; a few last rows and
/// columns may be lost.
cv::Mat shrunk_towards(const cv::Mat& picture, cv::Size size) {
  const int factor = std::min(picture.cols / size.width, picture.rows / size.height);
  if (factor <= 1) return picture;
  const cv::Size shrunk(picture.cols / factor, picture.rows / factor);
  cv::Mat result;
  cv::resize(picture({0, 0, shrunk.width * factor, shrunk.height * factor}), result, shrunk, 0, 0, cv::INTER_AREA);
  return result;
}

}  // namespace

PixelSize fitted_size(PixelSize picture, PixelSize box) {
  const double scale =
      std::min(static_cast<double>(box.width) / picture.width, static_cast<double>(box.height) / picture.height);
  const auto scaled = [&](int side) { return std::max(1, static_cast<int>(std::lround(side * scale))); };
  return {scaled(picture.width), scaled(picture.height)};
}

Panel::Panel(const Image& picture, PixelSize pose_size, PixelSize box, std::uint8_t background)
    : picture_(box.width, box.height) {
  const cv::Rect place = place_in_box(picture, box);
  std::ranges::fill(picture_.pixels, background);
  cv::Mat target = pixels_of(picture_)(place);
  cv::resize(shrunk_towards(pixels_of(picture), place.size()), target, place.size(), 0, 0, cv::INTER_LINEAR);
  factor_ = {static_cast<double>(place.width) / pose_size.width, static_cast<double>(place.height) / pose_size.height};
  offset_ = {static_cast<double>(place.x), static_cast<double>(place.y)};
}

void Panel::dim(double factor) {
  for (std::uint8_t& value : picture_.pixels) value = static_cast<std::uint8_t>(value * factor);
}

Keypoints Panel::in_panel(Keypoints pose) const {
  for (Keypoint& point : pose) point.at = Point{point.at.x * factor_.x, point.at.y * factor_.y} + offset_;
  return pose;
}

Image Panel::with(const Keypoints* pose) const {
  return pose == nullptr ? picture_ : draw_pose_over(picture_, in_panel(*pose));
}

Image Panel::with_numbered(const std::vector<Person>& people) const {
  constexpr int kCapitals = 14;
  Image image = picture_;
  for (const Person& person : people) {
    const Keypoints pose = in_panel(person.keypoints);
    image = draw_pose_over(image, pose);
    const Point neck = pose[kNeck].at;
    const bool inside = neck.x >= 0 && neck.y >= 0 && neck.x < image.width && neck.y < image.height;
    if (!inside) continue;
    cv::Mat page = pixels_of(image);
    plot::write_text(page, std::to_string(person.track), {static_cast<int>(neck.x), static_cast<int>(neck.y)},
                     kCapitals, plot::kWhite, plot::TextAlign::kCentre);
  }
  return image;
}

}  // namespace unianimate::pose
