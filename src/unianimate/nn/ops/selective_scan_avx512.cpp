// Compiled for AVX-512: 16 channels of a pixel at once, whose states stay in registers while time goes by.
#include <immintrin.h>

#include <vector>

#include "unianimate/nn/ops/avx512.h"
#include "unianimate/nn/ops/avx512_math.h"
#include "unianimate/nn/ops/scan_states.h"
#include "unianimate/nn/ops/vector_math.h"

namespace unianimate::nn {

namespace {

constexpr std::int64_t kScanLanes = 16;
constexpr float kScanLog2E = 1.44269504088896340736F;

__m512 load_lanes(const float* from, __mmask16 lanes) {
  return _mm512_maskz_loadu_ps(lanes, from);
}
__m512 load_lanes(const std::uint16_t* from, __mmask16 lanes) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

void store_lanes(float* to, __m512 x, __mmask16 lanes) {
  _mm512_mask_storeu_ps(to, lanes, x);
}
/// Rounds to nearest even; NaN stays NaN.
void store_lanes(std::uint16_t* to, __m512 x, __mmask16 lanes) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(even, _mm512_set1_epi32(0x7FFF)));
  rounded = _mm512_srli_epi32(rounded, 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  rounded = _mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7FC0));
  _mm256_mask_storeu_epi16(to, lanes, _mm512_cvtepi32_epi16(rounded));
}

/// e^-|x|
__m512 exp_of_minus_size(__m512 x) {
  return exp2_of_nonpositive(_mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(-kScanLog2E)));
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + u) with u = e^-|x|, and ln(1 + u) = 2 artanh(u / (2 + u)), whose argument is at
/// most a third.
__m512 softplus(__m512 x) {
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

__m512 silu_of(__m512 x) {
  const __m512 u = exp_of_minus_size(x);
  const __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
  const __m512 above = _mm512_mask_mov_ps(_mm512_set1_ps(1.0F), negative, u);
  return _mm512_div_ps(_mm512_mul_ps(x, above), _mm512_add_ps(u, _mm512_set1_ps(1.0F)));
}

template <typename Storage>
const Storage* sequence_of(const SequenceOperand& operand, std::int64_t batch, std::int64_t pixel) {
  return static_cast<const Storage*>(operand.data) + batch * operand.batch + pixel * operand.pixel;
}

template <typename Storage, int kStates>
class PixelScanner {
 public:
  explicit PixelScanner(const SelectiveScanProblem& problem)
      : problem_(problem), b_and_c_(static_cast<std::size_t>(problem.length * 2 * kStates)) {}

  void scan(std::int64_t batch, std::int64_t pixel) {
    widen(sequence_of<Storage>(problem_.b, batch, pixel), problem_.b.time, 0);
    widen(sequence_of<Storage>(problem_.c, batch, pixel), problem_.c.time, kStates);
    for (std::int64_t first = 0; first < problem_.channels; first += kScanLanes) {
      const std::int64_t count = problem_.channels - first;
      const auto lanes = static_cast<__mmask16>(count >= kScanLanes ? 0xFFFFU : (1U << count) - 1U);
      scan_channels(batch, pixel, first, lanes);
    }
  }

 private:
  void widen(const Storage* from, std::int64_t time, std::int64_t beside) {
    for (std::int64_t t = 0; t < problem_.length; ++t) {
      float* const to = b_and_c_.data() + t * 2 * kStates + beside;
      for (int n = 0; n < kStates; ++n) to[n] = to_float(from[t * time + n]);
    }
  }

  void scan_channels(std::int64_t batch, std::int64_t pixel, std::int64_t first, __mmask16 lanes) const {
    const SelectiveScanProblem& p = problem_;
    const Storage* const x = sequence_of<Storage>(p.x, batch, pixel) + first;
    const Storage* const step = sequence_of<Storage>(p.step, batch, pixel) + first;
    const Storage* const gate = p.gate.data == nullptr ? nullptr : sequence_of<Storage>(p.gate, batch, pixel) + first;
    Storage* const out = static_cast<Storage*>(p.out) + (batch * p.length * p.pixels + pixel) * p.channels + first;
    const std::int64_t states_at = (batch * p.pixels + pixel) * kStates * p.channels + first;
    const __m512 step_bias = load_lanes(p.step_bias + first, lanes);
    const __m512 skip = load_lanes(p.skip + first, lanes);
    __m512 a[kStates];
    __m512 h[kStates];
    for (int n = 0; n < kStates; ++n) {
      a[n] = _mm512_mul_ps(load_lanes(p.a + n * p.channels + first, lanes), _mm512_set1_ps(kScanLog2E));
      h[n] = p.start == nullptr ? _mm512_setzero_ps() : load_lanes(p.start + states_at + n * p.channels, lanes);
    }
    for (std::int64_t i = 0; i < p.length; ++i) {
      const std::int64_t t = p.reversed ? p.length - 1 - i : i;
      const __m512 d = softplus(_mm512_add_ps(load_lanes(step + t * p.step.time, lanes), step_bias));
      const __m512 value = load_lanes(x + t * p.x.time, lanes);
      const __m512 scaled = _mm512_mul_ps(d, value);
      const float* const b = b_and_c_.data() + t * 2 * kStates;
      const float* const c = b + kStates;
      __m512 even = _mm512_mul_ps(skip, value);
      __m512 odd = _mm512_setzero_ps();
      for (int n = 0; n < kStates; n += 2) {
        advance(h[n], d, a[n], scaled, b[n]);
        even = _mm512_fmadd_ps(h[n], _mm512_set1_ps(c[n]), even);
        advance(h[n + 1], d, a[n + 1], scaled, b[n + 1]);
        odd = _mm512_fmadd_ps(h[n + 1], _mm512_set1_ps(c[n + 1]), odd);
      }
      __m512 y = _mm512_add_ps(even, odd);
      if (gate != nullptr) y = _mm512_mul_ps(y, silu_of(load_lanes(gate + t * p.gate.time, lanes)));
      store_lanes(out + t * p.pixels * p.channels, y, lanes);
      if (p.kept == nullptr || i + 1 != p.keep_after) continue;
      for (int n = 0; n < kStates; ++n) store_lanes(p.kept + states_at + n * p.channels, h[n], lanes);
    }
  }

  static void advance(__m512& h, __m512 d, __m512 a, __m512 scaled, float b) {
    const __m512 decay = exp2_of_nonpositive(_mm512_mul_ps(d, a));
    h = _mm512_fmadd_ps(decay, h, _mm512_mul_ps(scaled, _mm512_set1_ps(b)));
  }

  const SelectiveScanProblem& problem_;
  std::vector<float> b_and_c_;  ///< of the pixel: (length, 2, states)
};

template <typename Storage>
void selective_scan_of(const SelectiveScanProblem& problem, const ParallelFor& parallel_for) {
  with_scan_states(problem.states, [&](auto states) {
    parallel_for(problem.batch * problem.pixels, [&](std::int64_t first, std::int64_t last) {
      PixelScanner<Storage, decltype(states)::value> scanner(problem);
      for (std::int64_t i = first; i < last; ++i) scanner.scan(i / problem.pixels, i % problem.pixels);
    });
  });
}

}  // namespace

bool avx512_takes_selective_scan(const SelectiveScanProblem& problem) {
  return is_scan_of_kernels(problem.states);
}

void avx512_selective_scan_fp32(const SelectiveScanProblem& problem, const ParallelFor& parallel_for) {
  selective_scan_of<float>(problem, parallel_for);
}

void avx512_selective_scan_bf16(const SelectiveScanProblem& problem, const ParallelFor& parallel_for) {
  selective_scan_of<std::uint16_t>(problem, parallel_for);
}

}  // namespace unianimate::nn
