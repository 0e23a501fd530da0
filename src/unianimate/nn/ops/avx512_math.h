// Functions of 16 floats at once, for sources that are compiled for AVX-512.
#pragma once

#include <immintrin.h>

namespace unianimate::nn {

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

}  // namespace unianimate::nn
