#include "unianimate/pose/report/preview.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace unianimate::pose {

namespace {

constexpr std::uint8_t kBlack = 0;

PixelSize box_for(PixelSize picture) {
  constexpr double kMostAspect = 4;
  const double aspect = std::clamp(static_cast<double>(picture.width) / picture.height, 1 / kMostAspect, kMostAspect);
  return {2 * static_cast<int>(std::lround(kPreviewHeight * aspect / 2)), kPreviewHeight};
}

}  // namespace

PreviewPainter::PreviewPainter(const Image& reference_picture, PixelSize canvas, PixelSize driver)
    : driver_(driver),
      driver_box_(box_for(driver)),
      reference_(reference_picture, canvas, box_for({reference_picture.width, reference_picture.height}), kBlack) {}

Image PreviewPainter::paint(const Image& driving_frame, const Keypoints* driver, const Keypoints* aligned) const {
  const Panel driving(driving_frame, driver_, driver_box_, kBlack);
  return concatenate_columns(std::array{driving.with(driver), reference_.with(aligned)});
}

PixelSize preview_size(PixelSize picture) {
  return box_for(picture);
}

Image paint_everyone(const Image& frame, PixelSize source, const std::vector<Person>& people) {
  return Panel(frame, source, box_for(source), kBlack).with_numbered(people);
}

}  // namespace unianimate::pose
