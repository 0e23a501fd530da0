// Compiled for AVX-512: 16 channels of a pixel at once, whose states are all computed again and kept for the way back.
#include <immintrin.h>

#include <algorithm>
#include <vector>

#include "unianimate/nn/ops/avx512.h"
#include "unianimate/nn/ops/avx512_math.h"
#include "unianimate/nn/ops/scan_lanes.h"
#include "unianimate/nn/ops/scan_states.h"

namespace unianimate::nn {

namespace {

/// Pixels whose gradients of what all pixels share are added up in one place.
constexpr std::int64_t kPixelsPerSum = 32;

struct alignas(64) Lanes {
  __m512 value = _mm512_setzero_ps();
};

__m512 sigmoid_of(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0F);
  const __m512 u = exp_of_minus_size(x);
  const __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
  return _mm512_div_ps(_mm512_mask_mov_ps(one, negative, u), _mm512_add_ps(u, one));
}

/// SiLU and its derivative.
struct SiluWithSlope {
  __m512 value;
  __m512 slope;
};
SiluWithSlope silu_with_slope(__m512 x) {
  const __m512 sigmoid = sigmoid_of(x);
  const __m512 value = _mm512_mul_ps(x, sigmoid);
  return {value, _mm512_fmadd_ps(value, _mm512_sub_ps(_mm512_set1_ps(1.0F), sigmoid), sigmoid)};
}

template <typename Storage, int kStates>
class PixelRetreat {
 public:
  /// `shared`: (states + 2, channels), of a, of the skip, of the step's bias; is added to.
  PixelRetreat(const SelectiveScanGradientsProblem& problem, float* shared)
      : problem_(problem),
        forward_(problem.forward),
        shared_(shared),
        b_and_c_(static_cast<std::size_t>(forward_.length * 2 * kStates)),
        of_b_and_c_(b_and_c_.size()),
        states_(static_cast<std::size_t>((forward_.length + 1) * kStates)),
        steps_(static_cast<std::size_t>(forward_.length)) {}

  void retreat(std::int64_t batch, std::int64_t pixel) {
    widen_rates<Storage, kStates>(forward_, batch, pixel, b_and_c_.data());
    std::ranges::fill(of_b_and_c_, Lanes());
    for_scan_lanes(forward_.channels, [&](std::int64_t first, __mmask16 lanes) {
      advance(batch, pixel, first, lanes);
      retreat_channels(batch, pixel, first, lanes);
    });
    auto* of_b = sequence_of<Storage>(problem_.of_b, batch, pixel);
    auto* of_c = sequence_of<Storage>(problem_.of_c, batch, pixel);
    for (std::int64_t t = 0; t < forward_.length; ++t) {
      const Lanes* sums = of_b_and_c_.data() + t * 2 * kStates;
      const auto total = [&](int i) { return from_float<Storage>(_mm512_reduce_add_ps(sums[i].value)); };
      for (int n = 0; n < kStates; ++n) of_b[t * problem_.of_b.time + n] = total(n);
      for (int n = 0; n < kStates; ++n) of_c[t * problem_.of_c.time + n] = total(kStates + n);
    }
  }

 private:
  [[nodiscard]] std::int64_t time_of(std::int64_t i) const { return forward_.reversed ? forward_.length - 1 - i : i; }

  [[nodiscard]] __m512 rate(int n, std::int64_t first, __mmask16 lanes) const {
    return load_lanes(forward_.a + n * forward_.channels + first, lanes);
  }

  /// Keeps the states before and after every step.
  void advance(std::int64_t batch, std::int64_t pixel, std::int64_t first, __mmask16 lanes) {
    const auto* x = sequence_of<const Storage>(forward_.x, batch, pixel) + first;
    const auto* step = sequence_of<const Storage>(forward_.step, batch, pixel) + first;
    const __m512 step_bias = load_lanes(forward_.step_bias + first, lanes);
    __m512 a[kStates];
    for (int n = 0; n < kStates; ++n) {
      a[n] = _mm512_mul_ps(rate(n, first, lanes), _mm512_set1_ps(kLog2E));
      states_[static_cast<std::size_t>(n)].value = _mm512_setzero_ps();
    }
    for (std::int64_t i = 0; i < forward_.length; ++i) {
      const std::int64_t t = time_of(i);
      const __m512 d = softplus(_mm512_add_ps(load_lanes(step + t * forward_.step.time, lanes), step_bias));
      const __m512 scaled = _mm512_mul_ps(d, load_lanes(x + t * forward_.x.time, lanes));
      steps_[static_cast<std::size_t>(i)].value = d;
      const float* b = b_and_c_.data() + t * 2 * kStates;
      const Lanes* before = states_.data() + i * kStates;
      Lanes* after = states_.data() + (i + 1) * kStates;
      for (int n = 0; n < kStates; ++n) {
        const __m512 decay = exp2_of_nonpositive(_mm512_mul_ps(d, a[n]));
        after[n].value = _mm512_fmadd_ps(decay, before[n].value, _mm512_mul_ps(scaled, _mm512_set1_ps(b[n])));
      }
    }
  }

  void retreat_channels(std::int64_t batch, std::int64_t pixel, std::int64_t first, __mmask16 lanes) {
    const SelectiveScanProblem& p = forward_;
    const auto* x = sequence_of<const Storage>(p.x, batch, pixel) + first;
    const auto* step = sequence_of<const Storage>(p.step, batch, pixel) + first;
    const bool gated = p.gate.data != nullptr;
    const auto* gate = gated ? sequence_of<const Storage>(p.gate, batch, pixel) + first : nullptr;
    const auto* of_out = sequence_of<const Storage>(problem_.of_out, batch, pixel) + first;
    auto* of_x = sequence_of<Storage>(problem_.of_x, batch, pixel) + first;
    auto* of_step = sequence_of<Storage>(problem_.of_step, batch, pixel) + first;
    auto* of_gate = gated ? sequence_of<Storage>(problem_.of_gate, batch, pixel) + first : nullptr;
    const __m512 step_bias = load_lanes(p.step_bias + first, lanes);
    const __m512 skip = load_lanes(p.skip + first, lanes);
    __m512 of_a[kStates];
    __m512 future[kStates];  // what later steps want of the states
    for (int n = 0; n < kStates; ++n) of_a[n] = future[n] = _mm512_setzero_ps();
    __m512 of_skip = _mm512_setzero_ps();
    __m512 of_step_bias = _mm512_setzero_ps();
    for (std::int64_t i = p.length; i-- > 0;) {
      const std::int64_t t = time_of(i);
      const float* b = b_and_c_.data() + t * 2 * kStates;
      const float* c = b + kStates;
      Lanes* of_b = of_b_and_c_.data() + t * 2 * kStates;
      Lanes* of_c = of_b + kStates;
      const Lanes* before = states_.data() + i * kStates;
      const Lanes* after = before + kStates;
      const __m512 d = steps_[static_cast<std::size_t>(i)].value;
      const __m512 value = load_lanes(x + t * p.x.time, lanes);
      const __m512 scaled = _mm512_mul_ps(d, value);
      __m512 wanted = load_lanes(of_out + t * problem_.of_out.time, lanes);
      if (gated) {
        __m512 y = _mm512_mul_ps(skip, value);
        for (int n = 0; n < kStates; ++n) y = _mm512_fmadd_ps(after[n].value, _mm512_set1_ps(c[n]), y);
        const SiluWithSlope silu = silu_with_slope(load_lanes(gate + t * p.gate.time, lanes));
        store_lanes(of_gate + t * problem_.of_gate.time, _mm512_mul_ps(_mm512_mul_ps(wanted, y), silu.slope), lanes);
        wanted = _mm512_mul_ps(wanted, silu.value);
      }
      of_skip = _mm512_fmadd_ps(wanted, value, of_skip);
      __m512 of_scaled = _mm512_setzero_ps();
      __m512 of_d = _mm512_setzero_ps();
      for (int n = 0; n < kStates; ++n) {
        future[n] = _mm512_fmadd_ps(_mm512_set1_ps(c[n]), wanted, future[n]);
        of_c[n].value = _mm512_fmadd_ps(after[n].value, wanted, of_c[n].value);
        of_b[n].value = _mm512_fmadd_ps(future[n], scaled, of_b[n].value);
        of_scaled = _mm512_fmadd_ps(future[n], _mm512_set1_ps(b[n]), of_scaled);
        const __m512 a = rate(n, first, lanes);
        const __m512 decay = exp2_of_nonpositive(_mm512_mul_ps(d, _mm512_mul_ps(a, _mm512_set1_ps(kLog2E))));
        future[n] = _mm512_mul_ps(future[n], decay);
        const __m512 of_exponent = _mm512_mul_ps(future[n], before[n].value);
        of_a[n] = _mm512_fmadd_ps(of_exponent, d, of_a[n]);
        of_d = _mm512_fmadd_ps(of_exponent, a, of_d);
      }
      store_lanes(of_x + t * problem_.of_x.time, _mm512_fmadd_ps(of_scaled, d, _mm512_mul_ps(wanted, skip)), lanes);
      of_d = _mm512_fmadd_ps(of_scaled, value, of_d);
      const __m512 slope = sigmoid_of(_mm512_add_ps(load_lanes(step + t * p.step.time, lanes), step_bias));
      const __m512 of_raw_step = _mm512_mul_ps(of_d, slope);
      store_lanes(of_step + t * problem_.of_step.time, of_raw_step, lanes);
      of_step_bias = _mm512_add_ps(of_step_bias, of_raw_step);
    }
    for (int n = 0; n < kStates; ++n) add(n, first, lanes, of_a[n]);
    add(kStates, first, lanes, of_skip);
    add(kStates + 1, first, lanes, of_step_bias);
  }

  void add(std::int64_t row, std::int64_t first, __mmask16 lanes, __m512 x) const {
    float* to = shared_ + row * forward_.channels + first;
    store_lanes(to, _mm512_add_ps(load_lanes(to, lanes), x), lanes);
  }

  const SelectiveScanGradientsProblem& problem_;
  const SelectiveScanProblem& forward_;
  float* shared_;
  std::vector<float> b_and_c_;     ///< (length, 2, states)
  std::vector<Lanes> of_b_and_c_;  ///< likewise, to be summed over the lanes
  std::vector<Lanes> states_;      ///< (length + 1, states)
  std::vector<Lanes> steps_;       ///< (length)
};

template <typename Storage>
void scan_gradients_of(const SelectiveScanGradientsProblem& problem, const ParallelFor& parallel_for) {
  const SelectiveScanProblem& forward = problem.forward;
  const std::int64_t pixels = forward.batch * forward.pixels;
  const std::int64_t sums = (pixels + kPixelsPerSum - 1) / kPixelsPerSum;
  const std::int64_t shared = (forward.states + 2) * forward.channels;
  std::vector<float> partial(static_cast<std::size_t>(sums * shared));
  with_scan_states(forward.states, [&](auto states) {
    parallel_for(sums, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t sum = first; sum < last; ++sum) {
        PixelRetreat<Storage, decltype(states)::value> retreat(problem, partial.data() + sum * shared);
        const std::int64_t end = std::min(pixels, (sum + 1) * kPixelsPerSum);
        for (std::int64_t i = sum * kPixelsPerSum; i < end; ++i) {
          retreat.retreat(i / forward.pixels, i % forward.pixels);
        }
      }
    });
  });
  // In one order, so that the threads do not matter.
  std::fill_n(problem.of_shared, shared, 0.0F);
  for (std::int64_t sum = 0; sum < sums; ++sum) {
    for (std::int64_t i = 0; i < shared; ++i)
      problem.of_shared[i] += partial[static_cast<std::size_t>(sum * shared + i)];
  }
}

}  // namespace

void avx512_selective_scan_gradients_fp32(const SelectiveScanGradientsProblem& problem,
                                          const ParallelFor& parallel_for) {
  scan_gradients_of<float>(problem, parallel_for);
}

void avx512_selective_scan_gradients_bf16(const SelectiveScanGradientsProblem& problem,
                                          const ParallelFor& parallel_for) {
  scan_gradients_of<std::uint16_t>(problem, parallel_for);
}

}  // namespace unianimate::nn
