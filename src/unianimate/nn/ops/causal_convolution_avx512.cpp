// Compiled for AVX-512. The loops are plain C++ for the compiler to vectorise.
#include <algorithm>

#include "unianimate/nn/ops/avx512.h"
#include "unianimate/nn/ops/vector_math.h"

namespace unianimate::nn {

namespace {

/// One step of one pixel, of which kTaps steps are seen: x, and those `back` elements before each other.
template <int kTaps, typename Storage>
void convolve_step(const CausalConvolutionProblem& problem, const Storage* x, std::int64_t back, Storage* out) {
  const std::int64_t channels = problem.channels;
  for (std::int64_t i = 0; i < channels; ++i) {
    float sum = problem.bias[i];
    for (int tap = kCausalTaps - kTaps; tap < kCausalTaps; ++tap) {
      sum += problem.weight[tap * channels + i] * to_float(x[i - (kCausalTaps - 1 - tap) * back]);
    }
    out[i] = from_float<Storage>(silu(sum));
  }
}

template <typename Storage>
void convolve_rows(const CausalConvolutionProblem& problem, std::int64_t first, std::int64_t last) {
  constexpr void (*kSteps[])(const CausalConvolutionProblem&, const Storage*, std::int64_t, Storage*) = {
      convolve_step<1, Storage>, convolve_step<2, Storage>, convolve_step<3, Storage>, convolve_step<4, Storage>};
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t pixel = row % problem.pixels;
    const std::int64_t time = row / problem.pixels % problem.length;
    const std::int64_t batch = row / problem.pixels / problem.length;
    const Storage* x = static_cast<const Storage*>(problem.x.data) + batch * problem.x.batch + time * problem.x.time +
                       pixel * problem.x.pixel;
    const std::int64_t before = problem.reversed ? problem.length - 1 - time : time + problem.history;
    kSteps[std::min<std::int64_t>(before, kCausalTaps - 1)](
        problem, x, problem.reversed ? -problem.x.time : problem.x.time,
        static_cast<Storage*>(problem.out) + row * problem.channels);
  }
}

template <typename Storage>
void causal_convolution_of(const CausalConvolutionProblem& problem, const ParallelFor& parallel_for) {
  parallel_for(problem.batch * problem.length * problem.pixels,
               [&](std::int64_t first, std::int64_t last) { convolve_rows<Storage>(problem, first, last); });
}

}  // namespace

void avx512_causal_convolution_fp32(const CausalConvolutionProblem& problem, const ParallelFor& parallel_for) {
  causal_convolution_of<float>(problem, parallel_for);
}

void avx512_causal_convolution_bf16(const CausalConvolutionProblem& problem, const ParallelFor& parallel_for) {
  causal_convolution_of<std::uint16_t>(problem, parallel_for);
}

}  // namespace unianimate::nn
