#include "unianimate/media/pictures/exif.h"

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

/// Bytes of a number of this type of TIFF 6.0; 0 for types that are no integers.
std::size_t integer_bytes(std::uint32_t type) {
  switch (type) {
    case 1:  // BYTE
    case 6:  // SBYTE
      return 1;
    case 3:  // SHORT
    case 8:  // SSHORT
      return 2;
    case 4:  // LONG
    case 9:  // SLONG
      return 4;
    default:
      return 0;
  }
}

}  // namespace

std::optional<std::uint32_t> tiff_integer(std::span<const std::uint8_t> tiff_bytes, std::uint32_t tag) {
  using namespace std::string_view_literals;
  constexpr std::size_t kEntryBytes = 12;
  constexpr std::size_t kValueBytes = 4;

  const bool big_endian = starts_with(tiff_bytes, "MM\0*"sv);
  if (!big_endian && !starts_with(tiff_bytes, "II*\0"sv)) return std::nullopt;
  const TiffView tiff(tiff_bytes, big_endian);
  const std::size_t directory = tiff.u32(4);
  if (directory + 2 > tiff_bytes.size()) return std::nullopt;
  const std::size_t entries = std::min<std::size_t>(tiff.u16(directory), (tiff_bytes.size() - directory) / kEntryBytes);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    const std::size_t bytes = integer_bytes(tiff.u16(entry + 2));
    const std::size_t count = tiff.u32(entry + 4);
    // More numbers than fit stand elsewhere.
    if (tiff.u16(entry) != tag || bytes == 0 || count == 0 || count > kValueBytes / bytes) continue;
    return tiff.read(entry + 8, bytes);
  }
  return std::nullopt;
}

int exif_orientation(std::span<const std::uint8_t> exif) {
  using namespace std::string_view_literals;
  constexpr std::uint32_t kOrientationTag = 0x0112;
  constexpr std::uint32_t kLastOrientation = 8;

  if (starts_with(exif, "Exif\0\0"sv)) exif = exif.subspan(6);
  const std::uint32_t value = tiff_integer(exif, kOrientationTag).value_or(1);
  return value >= 1 && value <= kLastOrientation ? static_cast<int>(value) : 1;
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
