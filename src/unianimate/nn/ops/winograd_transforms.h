// The sums of winograd_tiles.h in vectors of `width` floats; each source that includes this is compiled for a
// processor.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "unianimate/nn/ops/winograd_tiles.h"

namespace unianimate::nn {

/// `width` floats, 8 or 16. Types of their own keep the functions of one processor apart from those of another.
template <int width>
class WinogradTransforms {
 public:
  static void weights(const WinogradShape& shape, const float* weight, std::int64_t first_channel,
                      std::int64_t channels, std::int64_t from, std::int64_t to, float* right) {
    shape.kernel_width == 3 ? transform_weights<3>(shape, weight, first_channel, channels, from, to, right)
                            : transform_weights<1>(shape, weight, first_channel, channels, from, to, right);
  }

  static void inputs(const WinogradShape& shape, const float* x, std::int64_t first, std::int64_t count, float* left) {
    shape.kernel_width == 3 ? transform_inputs<4>(shape, x, first, count, left)
                            : transform_inputs<1>(shape, x, first, count, left);
  }

  static void outputs(const WinogradShape& shape, const float* products, const float* bias, std::int64_t first,
                      std::int64_t count, std::int64_t first_channel, std::int64_t channels, float* y) {
    shape.kernel_width == 3 ? transform_outputs<4>(shape, products, bias, first, count, first_channel, channels, y)
                            : transform_outputs<1>(shape, products, bias, first, count, first_channel, channels, y);
  }

 private:
  /// A struct, as templates such as std::array forget what a bare vector is.
  struct Vector {
    float lanes __attribute__((vector_size(width * sizeof(float))));

    friend Vector operator+(Vector a, Vector b) { return {a.lanes + b.lanes}; }
    friend Vector operator-(Vector a, Vector b) { return {a.lanes - b.lanes}; }
    friend Vector operator*(Vector a, float b) { return {a.lanes * b}; }
  };

  static Vector load(const float* from) {
    Vector value;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }
  static void store(float* to, Vector value) { std::memcpy(to, &value, sizeof(value)); }

  /// Where the outputs of a tile begin, in an image of the batch.
  struct Corner {
    std::int64_t image;
    std::int64_t row;
    std::int64_t column;
  };
  static Corner corner_of(const WinogradShape& shape, std::int64_t tile) {
    const std::int64_t row_of_tiles = tile / shape.tile_columns;
    return {row_of_tiles / shape.tile_rows, row_of_tiles % shape.tile_rows * 2,
            tile % shape.tile_columns * (shape.kernel_width == 3 ? 2 : 1)};
  }

  /// Bᵀ of F(2, 3), along four values that lie `step` apart.
  template <int step>
  static void mix_inputs(Vector* v) {
    const Vector v0 = v[0] - v[2 * step];
    const Vector v1 = v[step] + v[2 * step];
    const Vector v2 = v[2 * step] - v[step];
    const Vector v3 = v[step] - v[3 * step];
    v[0] = v0;
    v[step] = v1;
    v[2 * step] = v2;
    v[3 * step] = v3;
  }

  /// G of F(2, 3): of three values that lie `from_step` apart four.
  template <int from_step, int to_step>
  static void mix_weights(const Vector* from, Vector* to) {
    constexpr float kHalf = 0.5F;
    const Vector outer = from[0] + from[2 * from_step];
    to[0] = from[0];
    to[to_step] = (outer + from[from_step]) * kHalf;
    to[2 * to_step] = (outer - from[from_step]) * kHalf;
    to[3 * to_step] = from[2 * from_step];
  }

  /// Aᵀ of F(2, 3): of four values that lie `step` apart the first two places get the outputs.
  template <int step>
  static void mix_outputs(Vector* v) {
    const Vector v0 = v[0] + v[step] + v[2 * step];
    const Vector v1 = v[step] - v[2 * step] - v[3 * step];
    v[0] = v0;
    v[step] = v1;
  }

  template <int columns>
  static void transform_weights(const WinogradShape& shape, const float* weight, std::int64_t first_channel,
                                std::int64_t channels, std::int64_t from, std::int64_t to, float* right) {
    constexpr int kPlaceColumns = columns == 3 ? 4 : 1;
    constexpr int kPlaces = 4 * kPlaceColumns;
    const auto in = static_cast<std::size_t>(shape.in);
    // [place][input channel][output channel]: output channels become the inner axis.
    alignas(64) std::array<float, static_cast<std::size_t>(kPlaces) * width * kTogether> turned;
    for (std::int64_t channel = from; channel < to; channel += kTogether) {
      for (std::size_t i = 0; i < in; i += width) {
        for (std::int64_t c = 0; c < kTogether; ++c) {
          const float* taps = weight + static_cast<std::size_t>(first_channel + channel + c) * 3 * columns * in + i;
          std::array<Vector, 3UL * columns> g;
          for (std::size_t tap = 0; tap < g.size(); ++tap) g[tap] = load(taps + tap * in);
          std::array<Vector, 4UL * columns> rows;
          for (int column = 0; column < columns; ++column) {
            mix_weights<columns, columns>(g.data() + column, rows.data() + column);
          }
          std::array<Vector, kPlaces> places;
          if constexpr (columns == 3) {
            for (int row = 0; row < 4; ++row) {
              mix_weights<1, 1>(rows.data() + 3 * row, places.data() + kPlaceColumns * row);
            }
          } else {
            places = rows;
          }
          for (std::size_t place = 0; place < kPlaces; ++place) {
            for (std::size_t k = 0; k < width; ++k) {
              turned[(place * width + k) * kTogether + static_cast<std::size_t>(c)] = places[place].lanes[k];
            }
          }
        }
        for (std::size_t place = 0; place < kPlaces; ++place) {
          for (std::size_t k = 0; k < width; ++k) {
            std::memcpy(right + (place * in + i + k) * static_cast<std::size_t>(channels) + channel,
                        turned.data() + (place * width + k) * kTogether, kTogether * sizeof(float));
          }
        }
      }
    }
  }

  template <int columns>
  static void transform_inputs(const WinogradShape& shape, const float* x, std::int64_t first, std::int64_t count,
                               float* left) {
    constexpr int kPlaces = 4 * columns;
    const std::int64_t in = shape.in;
    for (std::int64_t t = 0; t < count; ++t) {
      const Corner corner = corner_of(shape, first + t);
      const std::int64_t top = corner.row - shape.padding;
      const std::int64_t begin = corner.column - shape.padding_across;
      const float* image = x + corner.image * shape.height * shape.width * in;
      std::array<const float*, kPlaces> pixels;
      for (std::int64_t row = 0; row < 4; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          const std::int64_t h = top + row;
          const std::int64_t w = begin + column;
          const bool is_inside = h >= 0 && h < shape.height && w >= 0 && w < shape.width;
          pixels[static_cast<std::size_t>(row * columns + column)] =
              is_inside ? image + (h * shape.width + w) * in : nullptr;
        }
      }
      for (std::int64_t i = 0; i < in; i += width) {
        std::array<Vector, kPlaces> v;
        for (std::size_t place = 0; place < kPlaces; ++place) {
          v[place] = pixels[place] != nullptr ? load(pixels[place] + i) : Vector{};
        }
        for (int column = 0; column < columns; ++column) mix_inputs<columns>(v.data() + column);
        if constexpr (columns == 4) {
          for (int row = 0; row < 4; ++row) mix_inputs<1>(v.data() + 4 * row);
        }
        for (std::size_t place = 0; place < kPlaces; ++place) {
          store(left + (static_cast<std::int64_t>(place) * count + t) * in + i, v[place]);
        }
      }
    }
  }

  template <int columns>
  static void transform_outputs(const WinogradShape& shape, const float* products, const float* bias,
                                std::int64_t first, std::int64_t count, std::int64_t first_channel,
                                std::int64_t channels, float* y) {
    constexpr int kPlaces = 4 * columns;
    constexpr std::int64_t kOutColumns = columns == 4 ? 2 : 1;
    for (std::int64_t t = 0; t < count; ++t) {
      const Corner corner = corner_of(shape, first + t);
      float* to = y + ((corner.image * shape.out_height + corner.row) * shape.out_width + corner.column) * shape.out +
                  first_channel;
      const std::int64_t rows = std::min<std::int64_t>(2, shape.out_height - corner.row);
      const std::int64_t across = std::min(kOutColumns, shape.out_width - corner.column);
      for (std::int64_t c = 0; c < channels; c += width) {
        std::array<Vector, kPlaces> v;
        for (std::size_t place = 0; place < kPlaces; ++place) {
          v[place] = load(products + (static_cast<std::int64_t>(place) * count + t) * channels + c);
        }
        for (int column = 0; column < columns; ++column) mix_outputs<columns>(v.data() + column);
        if constexpr (columns == 4) {
          for (int row = 0; row < 2; ++row) mix_outputs<1>(v.data() + 4 * row);
        }
        const Vector added = bias != nullptr ? load(bias + first_channel + c) : Vector{};
        for (std::int64_t row = 0; row < rows; ++row) {
          for (std::int64_t column = 0; column < across; ++column) {
            store(to + (row * shape.out_width + column) * shape.out + c,
                  v[static_cast<std::size_t>(row * columns + column)] + added);
          }
        }
      }
    }
  }

  /// Output channels whose weights are turned together.
  static constexpr std::int64_t kTogether = 16;
};

}  // namespace unianimate::nn
