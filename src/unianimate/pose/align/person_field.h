// The choice of a person among fields.
#pragma once

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "unianimate/fields/value.h"
#include "unianimate/pose/align/tracking.h"

template <>
struct unianimate::fields::TextForm<unianimate::pose::PersonChoice> {
  static std::string text(const pose::PersonChoice& person) {
    using Kind = pose::PersonChoice::Kind;
    if (person.kind == Kind::kTrack) return fmt::to_string(person.track);
    if (person.kind == Kind::kAt) return fmt::format("{},{}", person.at.x, person.at.y);
    static constexpr std::array kNames{"main", "largest", "center", "left", "right"};
    return kNames.at(static_cast<std::size_t>(person.kind));
  }
  static pose::PersonChoice parse(std::string_view text) { return pose::PersonChoice::parse(text); }
};
