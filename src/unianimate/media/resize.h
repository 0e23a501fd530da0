// Scaling pictures as the published code does.
#pragma once

#include "unianimate/media/image.h"

namespace unianimate {

/// Pillow's Image.resize((width, height), BILINEAR) for RGB, bit for bit as Pillow 9 to 12 compute it
/// (libImaging/Resample.c; Pillow 13 begins with the vertical pass for some sizes): a triangle filter that widens when
/// shrinking (antialiased), horizontally then vertically, each pass in fixed point and rounded to 8 bits; a direction
/// whose size does not change is left alone. The aspect ratio is not kept.
/// Throws Error(kUsage) unless both sides are at least 1.
Image resize_bilinear(const Image& image, int width, int height);

}  // namespace unianimate
