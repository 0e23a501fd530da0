// A picture in memory: the one form in which pictures and video frames travel through the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace unianimate {

/// RGB, 8 bits a channel, interleaved, rows from top to bottom without gaps: width·height·3 bytes.
struct Image {
  static constexpr int kChannels = 3;

  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  /// Black. Throws Error(kUsage) unless both sides are at least 1.
  Image(int width, int height);

  [[nodiscard]] std::size_t row_bytes() const { return static_cast<std::size_t>(width) * kChannels; }
  [[nodiscard]] std::span<std::uint8_t> row(int y) {
    return std::span(pixels).subspan(static_cast<std::size_t>(y) * row_bytes(), row_bytes());
  }
  [[nodiscard]] std::span<const std::uint8_t> row(int y) const {
    return std::span(pixels).subspan(static_cast<std::size_t>(y) * row_bytes(), row_bytes());
  }

  friend bool operator==(const Image&, const Image&) = default;
};

/// The pictures side by side, first on the left. Throws Error(kUsage) for none or for unequal heights.
Image concatenate_columns(std::span<const Image> images);

}  // namespace unianimate
