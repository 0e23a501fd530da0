#include "unianimate/media/pictures/framing_fields.h"

#include <array>
#include <charconv>
#include <cmath>

#include "unianimate/core/error.h"

namespace unianimate {

namespace {

constexpr std::string_view kWhole = "whole";

}  // namespace

std::string framing_text(const Framing& framing) {
  if (framing.is_whole()) return std::string(kWhole);
  return fmt::format("{},{},{},{}", framing.left, framing.top, framing.right, framing.bottom);
}

Framing parse_framing(std::string_view text) {
  if (text == kWhole) return {};
  std::array<double, 4> sides{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  bool good = true;
  for (std::size_t i = 0; i < sides.size() && good; ++i) {
    const auto [rest, problem] = std::from_chars(at, end, sides[i]);
    const bool is_last = i + 1 == sides.size();
    good = problem == std::errc{} && std::isfinite(sides[i]) && (is_last ? rest == end : rest != end && *rest == ',');
    at = is_last ? rest : rest + 1;
  }
  const Framing framing{sides[0], sides[1], sides[2], sides[3]};
  if (good && framing.left < framing.right && framing.top < framing.bottom) return framing;
  throw Error(ErrorKind::kUsage, "a framing is whole or left,top,right,bottom such as 0.25,0,0.75,1, found '{}'",
              printable(text));
}

}  // namespace unianimate
