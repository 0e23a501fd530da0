#include "unianimate/media/pictures/image.h"

#include <algorithm>

#include "unianimate/core/error.h"

namespace unianimate {

Image::Image(int image_width, int image_height) : width(image_width), height(image_height) {
  if (width < 1 || height < 1) {
    throw Error(ErrorKind::kUsage, "a picture must be at least 1×1 pixels, but {}×{} was asked for", width, height);
  }
  pixels.resize(row_bytes() * static_cast<std::size_t>(height));
}

Image concatenate_columns(std::span<const Image> images) {
  int width = 0;
  for (const Image& image : images) {
    if (image.height != images.front().height) {
      throw Error(ErrorKind::kUsage, "pictures side by side must be equally high, but one has {} rows and another {}",
                  images.front().height, image.height);
    }
    width += image.width;
  }
  Image strip(width, images.empty() ? 0 : images.front().height);
  for (int y = 0; y < strip.height; ++y) {
    auto out = strip.row(y).begin();
    for (const Image& image : images) out = std::ranges::copy(image.row(y), out).out;
  }
  return strip;
}

}  // namespace unianimate
