// Drawing procedural people.
#pragma once

#include <cstdint>
#include <vector>

#include "unianimate/media/pictures/image.h"
#include "unianimate/puppet/identity.h"
#include "unianimate/puppet/motion.h"

namespace unianimate::puppet {

/// Throws Error(kUsage) unless both sides are at least 1.
Image draw_background(const Background& background, int width, int height);

/// Draws the person over the picture, edges smoothed, limbs in the posture's order of depth with the far side darker.
/// `points`: from place_body() with the same posture, or of any poses; `unit`: pixels of a body height.
void draw_person(Image& picture, const Identity& identity, const Posture& posture, const pose::Keypoints& points,
                 double unit);

/// Which pixels of a width × height picture draw_person() covers at least half: 255 there, else 0, row by row. Throws
/// Error(kUsage) unless both sides are at least 1.
std::vector<std::uint8_t> figure_mask(int width, int height, const Identity& identity, const Posture& posture,
                                      const pose::Keypoints& points, double unit);

}  // namespace unianimate::puppet
