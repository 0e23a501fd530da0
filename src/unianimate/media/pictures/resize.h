// Scaling pictures as the published code does.
#pragma once

#include "unianimate/media/pictures/image.h"

namespace unianimate {

/// Pillow's Image.resize((width, height), BILINEAR) for RGB, bit for bit as Pillow 13 computes it
/// (libImaging/Resample.c): a triangle filter that widens when shrinking (antialiased), each pass in fixed point and
/// rounded to 8 bits; a direction whose size does not change is left alone. Where the height shrinks by more than twice
/// what the width does, the vertical pass comes first; Pillow up to 12 always began horizontally, which differs by one
/// grey level in a few pixels of such pictures. The aspect ratio is not kept.
/// Throws Error(kUsage) unless both sides are at least 1.
Image resize_bilinear(const Image& image, int width, int height);

}  // namespace unianimate
