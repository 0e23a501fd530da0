// Scalar functions that compilers turn into vector code: no calls, no branches.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace unianimate::nn {

inline float to_float(float x) {
  return x;
}
inline float to_float(std::uint16_t bf16) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bf16) << 16);
}

/// Rounds to nearest even; NaN stays NaN.
template <typename Storage>
Storage from_float(float x);
template <>
inline float from_float<float>(float x) {
  return x;
}
template <>
inline std::uint16_t from_float<std::uint16_t>(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  return static_cast<std::uint16_t>(x == x ? rounded : 0x7FC0U);
}

/// e^x to 2 units in the last place; 0 below -87, the largest powers above 88 saturate.
inline float fast_exp(float x) {
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  // Adding 1.5·2²³ rounds to the nearest integer and leaves that integer in the low bits.
  constexpr float kRounder = 12582912.0F;
  const float shifted = x * 1.44269504F + kRounder;
  const float n = shifted - kRounder;
  const float f = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * f + 1.3981999507e-3F;
  p = p * f + 8.3334519073e-3F;
  p = p * f + 4.1665795894e-2F;
  p = p * f + 1.6666665459e-1F;
  p = p * f + 5.0000001201e-1F;
  p = p * f * f + f + 1.0F;
  const std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kRounder);
  return p * std::bit_cast<float>((exponent + 127) << 23);
}

inline float silu(float x) {
  return x / (1.0F + fast_exp(-x));
}
/// The derivative of silu().
inline float silu_slope(float x) {
  const float sigmoid = 1.0F / (1.0F + fast_exp(-x));
  return sigmoid * (1.0F + x * (1.0F - sigmoid));
}

/// The error function to 3e-7, a rational approximation on [-4, 4] (the one of Eigen's and XLA's).
inline float fast_erf(float x) {
  x = x < -4.0F ? -4.0F : x;
  x = x > 4.0F ? 4.0F : x;
  const float s = x * x;
  float p = -2.72614225801306e-10F;
  p = p * s + 2.77068142495902e-08F;
  p = p * s + -2.10102402082508e-06F;
  p = p * s + -5.69250639462346e-05F;
  p = p * s + -7.34990630326855e-04F;
  p = p * s + -2.95459980854025e-03F;
  p = p * s + -1.60960333262415e-02F;
  float q = -1.45660718464996e-05F;
  q = q * s + -2.13374055278905e-04F;
  q = q * s + -1.68282697438203e-03F;
  q = q * s + -7.37332916720468e-03F;
  q = q * s + -1.42647390514189e-02F;
  return x * p / q;
}

inline float gelu(float x) {
  return 0.5F * x * (1.0F + fast_erf(x * 0.70710678118F));
}
/// The derivative of gelu().
inline float gelu_slope(float x) {
  return 0.5F * (1.0F + fast_erf(x * 0.70710678118F)) + x * 0.39894228040F * fast_exp(-0.5F * x * x);
}

}  // namespace unianimate::nn
