// A colour among fields.
#pragma once

#include <string>
#include <string_view>

#include "unianimate/fields/value.h"
#include "unianimate/media/pictures/color.h"

template <>
struct unianimate::fields::TextForm<unianimate::Color> {
  static std::string text(const Color& color) { return color_text(color); }
  static Color parse(std::string_view text) { return parse_color(text); }
};
