#include "unianimate/media/pictures/transparency.h"

#include <array>
#include <utility>

namespace unianimate {

namespace {

constexpr int kOpaque = 255;

std::uint8_t mixed(int above, int beneath, int alpha) {
  return static_cast<std::uint8_t>((above * alpha + beneath * (kOpaque - alpha) + kOpaque / 2) / kOpaque);
}

}  // namespace

void Transparency::flatten(std::span<const std::uint8_t> rgba, std::span<std::uint8_t> rgb) {
  const Color background = background_.value_or(Color{});
  auto* out = rgb.data();
  for (std::size_t i = 0; i < rgba.size(); i += 4, out += 3) {
    const std::array<std::uint8_t, 4> pixel{rgba[i], rgba[i + 1], rgba[i + 2], rgba[i + 3]};
    const int alpha = pixel[3];
    found_ = found_ || alpha != kOpaque;
    if (background_) {
      out[0] = mixed(pixel[0], background.red, alpha);
      out[1] = mixed(pixel[1], background.green, alpha);
      out[2] = mixed(pixel[2], background.blue, alpha);
    } else {
      out[0] = pixel[0];
      out[1] = pixel[1];
      out[2] = pixel[2];
    }
  }
}

Image Transparency::flatten(std::vector<std::uint8_t> rgba, int width, int height) {
  flatten(rgba, std::span(rgba).first(rgba.size() / 4 * 3));
  Image image;
  image.width = width;
  image.height = height;
  rgba.resize(rgba.size() / 4 * 3);
  image.pixels = std::move(rgba);
  return image;
}

}  // namespace unianimate
