// How the kernels of the selective scan for AVX-512 go through a pixel.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "unianimate/nn/ops/kernels.h"
#include "unianimate/nn/ops/vector_math.h"

namespace unianimate::nn {

template <typename Storage>
Storage* sequence_of(const SequenceOperand& operand, std::int64_t batch, std::int64_t pixel) {
  return static_cast<Storage*>(const_cast<void*>(operand.data)) + batch * operand.batch + pixel * operand.pixel;
}

/// f(first channel, which of 16 lanes) for all channels.
template <typename F>
void for_scan_lanes(std::int64_t channels, const F& f) {
  constexpr std::int64_t kLanes = 16;
  for (std::int64_t first = 0; first < channels; first += kLanes) {
    const std::int64_t count = channels - first;
    f(first, static_cast<__mmask16>(count >= kLanes ? 0xFFFFU : (1U << count) - 1U));
  }
}

/// b and c of a pixel as floats: (length, 2, states).
template <typename Storage, int kStates>
void widen_rates(const SelectiveScanProblem& problem, std::int64_t batch, std::int64_t pixel, float* to) {
  const auto* b = sequence_of<const Storage>(problem.b, batch, pixel);
  const auto* c = sequence_of<const Storage>(problem.c, batch, pixel);
  for (std::int64_t t = 0; t < problem.length; ++t, to += 2 * kStates) {
    for (int n = 0; n < kStates; ++n) to[n] = to_float(b[t * problem.b.time + n]);
    for (int n = 0; n < kStates; ++n) to[kStates + n] = to_float(c[t * problem.c.time + n]);
  }
}

}  // namespace unianimate::nn
