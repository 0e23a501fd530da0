// Inside media: how large the pictures are that HEVC data in a file describes, before a decoder takes memory for them.
#pragma once

#include <cstdint>
#include <span>

namespace unianimate {

/// The longest side, in pixels, that a sequence parameter set (ITU-T H.265, 7.3.2.2) in a HEIC file names: of those in
/// its hvcC boxes, and of those that stand before the coded pictures, with four bytes of length. 0 where there is none.
std::int64_t longest_hevc_side(std::span<const std::uint8_t> file);

}  // namespace unianimate
