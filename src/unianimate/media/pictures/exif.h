// Inside media: which way up a picture is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "unianimate/media/pictures/image.h"

namespace unianimate {

/// The first value of a tag in the first directory of TIFF data, whatever type of integer it is written as; a negative
/// one as its two's complement. Nothing where it is absent, no integer, not in the directory itself, or the data makes
/// no sense.
std::optional<std::uint32_t> tiff_integer(std::span<const std::uint8_t> tiff_bytes, std::uint32_t tag);

/// The orientation tag (0x0112) of the first directory of EXIF data, with or without the leading "Exif\0\0": 1..8 as
/// EXIF 2.32, 4.6.4 numbers them. 1 (upright) where the tag is absent or the data makes no sense.
int exif_orientation(std::span<const std::uint8_t> exif);

/// Orientations 5 to 8 lie on their side: width and height change places.
inline bool swaps_sides(int orientation) {
  return orientation >= 5;
}

/// The picture upright.
Image apply_orientation(Image stored, int orientation);

}  // namespace unianimate
