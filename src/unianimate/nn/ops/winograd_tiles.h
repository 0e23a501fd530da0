// What winograd.h computes beside its products: plain pointers and numbers, compiled for several processors.
//
// A tile is what makes 2×2 outputs of a kernel of 3×3 elements, or 2×1 of one of 3×1: its 16 or 4 places are 4 rows by
// 4 columns or by one. Channels come in multiples of 16.
#pragma once

#include <cstdint>

namespace unianimate::nn {

struct WinogradShape {
  std::int64_t height;
  std::int64_t width;
  std::int64_t in;   ///< channels
  std::int64_t out;  ///< channels
  std::int64_t out_height;
  std::int64_t out_width;
  std::int64_t padding;         ///< zeros above and below
  std::int64_t padding_across;  ///< zeros left and right
  std::int64_t kernel_width;    ///< 3 or 1
  std::int64_t tile_rows;       ///< of one image
  std::int64_t tile_columns;

  [[nodiscard]] std::int64_t places() const { return kernel_width == 3 ? 16 : 4; }
};

/// Tiles are numbered by image, row and column; those from `first` are meant, `count` of them, and of the output
/// channels those from `first_channel`, `channels` of them.
struct WinogradTiles {
  /// weight (out, 3, kernel_width, in) -> products' right sides (places, in, channels), from output channel
  /// first_channel + from to first_channel + to.
  void (*weights)(const WinogradShape& shape, const float* weight, std::int64_t first_channel, std::int64_t channels,
                  std::int64_t from, std::int64_t to, float* right);
  /// x (N, height, width, in) -> products' left sides (places, count, in).
  void (*inputs)(const WinogradShape& shape, const float* x, std::int64_t first, std::int64_t count, float* left);
  /// Products (places, count, channels) -> y (N, out_height, out_width, out). `bias` (out) may be null.
  void (*outputs)(const WinogradShape& shape, const float* products, const float* bias, std::int64_t first,
                  std::int64_t count, std::int64_t first_channel, std::int64_t channels, float* y);
};

WinogradTiles avx2_winograd_tiles();
WinogradTiles avx512_winograd_tiles();

}  // namespace unianimate::nn
