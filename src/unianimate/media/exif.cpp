#include "unianimate/media/exif.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace unianimate {

namespace {

// Integers of TIFF data in its own byte order; 0 beyond the end.
class TiffView {
 public:
  TiffView(std::span<const std::uint8_t> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  [[nodiscard]] std::uint32_t read(std::size_t offset, std::size_t size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < size) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = (value << 8) | bytes_[offset + (big_endian_ ? i : size - 1 - i)];
    }
    return value;
  }
  [[nodiscard]] std::uint32_t u16(std::size_t offset) const { return read(offset, 2); }
  [[nodiscard]] std::uint32_t u32(std::size_t offset) const { return read(offset, 4); }

 private:
  std::span<const std::uint8_t> bytes_;
  bool big_endian_;
};

bool starts_with(std::span<const std::uint8_t> bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

}  // namespace

int exif_orientation(std::span<const std::uint8_t> exif) {
  using namespace std::string_view_literals;
  constexpr std::size_t kEntryBytes = 12;
  constexpr std::uint32_t kOrientationTag = 0x0112;
  constexpr std::uint32_t kShort = 3;

  if (starts_with(exif, "Exif\0\0"sv)) exif = exif.subspan(6);
  const bool big_endian = starts_with(exif, "MM\0*"sv);
  if (!big_endian && !starts_with(exif, "II*\0"sv)) return 1;
  const TiffView tiff(exif, big_endian);
  const std::size_t directory = tiff.u32(4);
  const std::size_t entries = tiff.u16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (tiff.u16(entry) != kOrientationTag || tiff.u16(entry + 2) != kShort) continue;
    const std::uint32_t value = tiff.u16(entry + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image apply_orientation(Image stored, int orientation) {
  if (orientation == 1) return stored;
  const bool swapped = swaps_sides(orientation);
  // In which corner of the stored picture the upright one begins.
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image upright(swapped ? stored.height : stored.width, swapped ? stored.width : stored.height);
  auto out = upright.pixels.begin();
  for (int y = 0; y < upright.height; ++y) {
    for (int x = 0; x < upright.width; ++x) {
      int column = swapped ? y : x;
      int line = swapped ? x : y;
      if (from_right) column = stored.width - 1 - column;
      if (from_bottom) line = stored.height - 1 - line;
      const auto pixel =
          stored.row(line).subspan(static_cast<std::size_t>(column) * Image::kChannels, Image::kChannels);
      out = std::ranges::copy(pixel, out).out;
    }
  }
  return upright;
}

}  // namespace unianimate
