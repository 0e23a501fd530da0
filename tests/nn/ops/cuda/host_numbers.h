// Elements of 16 bits on the CPU, for the tests of kernels.
#pragma once

#include <bit>
#include <cmath>
#include <type_traits>

#include "unianimate/nn/ops/cuda/execution.h"

namespace unianimate::testing {

inline float to_float(float x) {
  return x;
}

inline float to_float(nn::BFloat16 x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16);
}

inline float to_float(nn::Half x) {
  const int exponent = x.bits >> 10 & 0x1F;
  const int fraction = x.bits & 0x3FF;
  float size = NAN;
  if (exponent < 0x1F)
    size =
        std::ldexp(static_cast<float>(exponent == 0 ? fraction : fraction + 1024), (exponent == 0 ? 1 : exponent) - 25);
  if (exponent == 0x1F && fraction == 0) size = INFINITY;
  return std::copysign(size, (x.bits & 0x8000) != 0 ? -1.0F : 1.0F);
}

inline nn::Half half_of(float x) {
  const int sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x)) return {static_cast<std::uint16_t>(sign | 0x7E00)};
  int exponent = 0;
  const float size = std::fabs(x);
  if (size >= 65520.0F) return {static_cast<std::uint16_t>(sign | 0x7C00)};
  std::frexp(size, &exponent);
  // What the last bit is worth: 11 bits of mantissa, none below 2^-24.
  const int last = size == 0 || exponent < -13 ? -24 : exponent - 11;
  const int units = static_cast<int>(std::nearbyint(std::ldexp(size, -last)));
  // Units of 1024 and more carry into the exponent's bits by themselves.
  return {static_cast<std::uint16_t>(sign + ((last + 24) << 10) + units)};
}

inline nn::BFloat16 bfloat16_of(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (std::isnan(x)) return {0x7FC0};
  return {static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16)};
}

template <typename T>
T from_float(float x) {
  if constexpr (std::is_same_v<T, float>) {
    return x;
  } else if constexpr (std::is_same_v<T, nn::Half>) {
    return half_of(x);
  } else {
    return bfloat16_of(x);
  }
}

}  // namespace unianimate::testing
