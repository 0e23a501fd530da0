// Functions of 16 floats at once, for sources that are compiled for AVX-512.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace unianimate::nn {

constexpr float kLog2E = 1.44269504088896340736F;

/// 2^x for x ≤ 0, to 2e-7; 0 below -126, also for -infinity; NaN for NaN, which max lets through as its second operand.
/// Smaller results would be subnormal, for which some processors take 150 cycles.
inline __m512 exp2_of_nonpositive(__m512 x) {
  const __m512 smallest = _mm512_set1_ps(-126.0F);
  const __mmask16 normal = _mm512_cmp_ps_mask(x, smallest, _CMP_NLT_UQ);
  x = _mm512_max_ps(smallest, x);
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(x, whole);
  // Taylor series of 2^f around 0, |f| ≤ ½.
  __m512 p = _mm512_set1_ps(1.52527338e-5F);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.54035304e-4F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.33335581e-3F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.61812911e-3F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.55041087e-2F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.40226507e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.93147181e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0F));
  return _mm512_maskz_scalef_ps(normal, p, whole);
}

/// Of the lanes in `lanes`; the others are 0.
inline __m512 load_lanes(const float* from, __mmask16 lanes) {
  return _mm512_maskz_loadu_ps(lanes, from);
}
inline __m512 load_lanes(const std::uint16_t* from, __mmask16 lanes) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

inline void store_lanes(float* to, __m512 x, __mmask16 lanes) {
  _mm512_mask_storeu_ps(to, lanes, x);
}
/// Rounds to nearest even; NaN stays NaN.
inline void store_lanes(std::uint16_t* to, __m512 x, __mmask16 lanes) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(even, _mm512_set1_epi32(0x7FFF)));
  rounded = _mm512_srli_epi32(rounded, 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  rounded = _mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7FC0));
  _mm256_mask_storeu_epi16(to, lanes, _mm512_cvtepi32_epi16(rounded));
}

/// e^-|x|
inline __m512 exp_of_minus_size(__m512 x) {
  return exp2_of_nonpositive(_mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(-kLog2E)));
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + u) with u = e^-|x|, and ln(1 + u) = 2 artanh(u / (2 + u)), whose argument is at
/// most a third.
inline __m512 softplus(__m512 x) {
  const __m512 u = exp_of_minus_size(x);
  const __m512 s = _mm512_div_ps(u, _mm512_add_ps(u, _mm512_set1_ps(2.0F)));
  const __m512 squared = _mm512_mul_ps(s, s);
  __m512 p = _mm512_set1_ps(1.0F / 15);
  for (const float coefficient : {1.0F / 13, 1.0F / 11, 1.0F / 9, 1.0F / 7, 1.0F / 5, 1.0F / 3, 1.0F}) {
    p = _mm512_fmadd_ps(p, squared, _mm512_set1_ps(coefficient));
  }
  const __m512 twice = _mm512_add_ps(s, s);
  // NaN passes as the second operand.
  return _mm512_fmadd_ps(twice, p, _mm512_max_ps(_mm512_setzero_ps(), x));
}

inline __m512 silu_of(__m512 x) {
  const __m512 u = exp_of_minus_size(x);
  const __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
  const __m512 above = _mm512_mask_mov_ps(_mm512_set1_ps(1.0F), negative, u);
  return _mm512_div_ps(_mm512_mul_ps(x, above), _mm512_add_ps(u, _mm512_set1_ps(1.0F)));
}

}  // namespace unianimate::nn
