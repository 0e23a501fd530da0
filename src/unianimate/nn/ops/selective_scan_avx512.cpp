// Compiled for AVX-512: 16 channels of a pixel at once, whose states stay in registers while time goes by.
#include <immintrin.h>

#include <vector>

#include "unianimate/nn/ops/avx512.h"
#include "unianimate/nn/ops/avx512_math.h"
#include "unianimate/nn/ops/scan_lanes.h"
#include "unianimate/nn/ops/scan_states.h"

namespace unianimate::nn {

namespace {

template <typename Storage, int kStates>
class PixelScanner {
 public:
  explicit PixelScanner(const SelectiveScanProblem& problem)
      : problem_(problem), b_and_c_(static_cast<std::size_t>(problem.length * 2 * kStates)) {}

  void scan(std::int64_t batch, std::int64_t pixel) {
    widen_rates<Storage, kStates>(problem_, batch, pixel, b_and_c_.data());
    for_scan_lanes(problem_.channels,
                   [&](std::int64_t first, __mmask16 lanes) { scan_channels(batch, pixel, first, lanes); });
  }

 private:
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
      a[n] = _mm512_mul_ps(load_lanes(p.a + n * p.channels + first, lanes), _mm512_set1_ps(kLog2E));
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
