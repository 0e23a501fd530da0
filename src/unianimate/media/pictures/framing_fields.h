// A framing among fields: "whole", or "0.25,0,0.75,1" for left, top, right and bottom.
#pragma once

#include <string>
#include <string_view>

#include "unianimate/fields/value.h"
#include "unianimate/media/pictures/framing.h"

namespace unianimate {

/// Shortest digits that give the same numbers again.
std::string framing_text(const Framing& framing);
/// Throws Error(kUsage) for anything else, also for sides that are in the wrong order.
Framing parse_framing(std::string_view text);

}  // namespace unianimate

template <>
struct unianimate::fields::TextForm<unianimate::Framing> {
  static std::string text(const Framing& framing) { return framing_text(framing); }
  static Framing parse(std::string_view text) { return parse_framing(text); }
};
