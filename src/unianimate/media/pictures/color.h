// A colour, and how people write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unianimate {

/// sRGB, 8 bits a channel.
struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;

  friend bool operator==(Color, Color) = default;
};

/// "#RRGGBB", or black, white, gray, grey, red, green, blue, yellow, cyan, magenta in any case, as CSS has them. Throws
/// Error(kUsage), naming both, for anything else.
Color parse_color(std::string_view text);

/// "#rrggbb"
std::string color_text(Color color);

}  // namespace unianimate
