// Kinds of motion and of bones among fields.
#pragma once

#include <string>
#include <string_view>

#include "unianimate/fields/value.h"
#include "unianimate/puppet/motion.h"

template <>
struct unianimate::fields::TextForm<unianimate::puppet::MotionKind> {
  static std::string text(puppet::MotionKind kind) { return std::string(puppet::motion_name(kind)); }
  static puppet::MotionKind parse(std::string_view text) { return puppet::parse_motion(text); }
};
