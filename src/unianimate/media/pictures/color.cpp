#include "unianimate/media/pictures/color.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "unianimate/core/error.h"

namespace unianimate {

namespace {

struct NamedColor {
  std::string_view name;
  Color color;
};

constexpr NamedColor kNamed[] = {
    {"black", {0, 0, 0}},    {"white", {255, 255, 255}}, {"gray", {128, 128, 128}}, {"grey", {128, 128, 128}},
    {"red", {255, 0, 0}},    {"green", {0, 128, 0}},     {"blue", {0, 0, 255}},     {"yellow", {255, 255, 0}},
    {"cyan", {0, 255, 255}}, {"magenta", {255, 0, 255}},
};

}  // namespace

Color parse_color(std::string_view text) {
  constexpr std::size_t kDigits = 6;
  constexpr int kHexadecimal = 16;
  constexpr unsigned kByte = 0xff;
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* const named = std::ranges::find(kNamed, lower, &NamedColor::name);
  if (named != std::end(kNamed)) return named->color;
  if (lower.starts_with('#') && lower.size() == kDigits + 1) {
    unsigned value = 0;
    const char* const end = lower.data() + lower.size();
    const auto parsed = std::from_chars(lower.data() + 1, end, value, kHexadecimal);
    if (parsed.ec == std::errc() && parsed.ptr == end) {
      return {static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8 & kByte),
              static_cast<std::uint8_t>(value & kByte)};
    }
  }
  std::string names;
  for (const NamedColor& color : kNamed) names += fmt::format("{}{}", names.empty() ? "" : ", ", color.name);
  throw Error(ErrorKind::kUsage, "a colour is #RRGGBB or one of {}, found '{}'", names, printable(text));
}

std::string color_text(Color color) {
  return fmt::format("#{:02x}{:02x}{:02x}", color.red, color.green, color.blue);
}

}  // namespace unianimate
