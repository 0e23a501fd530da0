// Pictures as OpenCV sees them.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>

#include "unianimate/media/pictures/image.h"

namespace unianimate::plot {

/// The image's own pixels, red first; valid as long as they are. Those of a constant image are only to be read.
inline cv::Mat pixels_of(Image& image) {
  return {image.height, image.width, CV_8UC3, image.pixels.data()};
}
inline cv::Mat pixels_of(const Image& image) {
  return {image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.pixels.data())};
}

}  // namespace unianimate::plot
