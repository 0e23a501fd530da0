// Compiled for AVX-512. The loops are plain C++ for the compiler to vectorise.
#include "unianimate/nn/ops/avx512.h"

#include "unianimate/nn/ops/vector_math.h"

namespace unianimate::nn {

namespace {

template <typename Storage>
void gated_gelu_rows(const Storage* in, Storage* out, std::int64_t first, std::int64_t last, std::int64_t width) {
  for (std::int64_t row = first; row < last; ++row) {
    const Storage* value = in + row * 2 * width;
    const Storage* gate = value + width;
    Storage* to = out + row * width;
    for (std::int64_t i = 0; i < width; ++i) to[i] = from_float<Storage>(to_float(value[i]) * gelu(to_float(gate[i])));
  }
}

template <typename Storage>
void gated_gelu_of(const GatedGeluProblem& problem, const ParallelFor& parallel_for) {
  const auto* in = static_cast<const Storage*>(problem.in);
  auto* out = static_cast<Storage*>(problem.out);
  parallel_for(problem.rows,
               [&](std::int64_t first, std::int64_t last) { gated_gelu_rows(in, out, first, last, problem.width); });
}

template <typename Storage>
void gated_gelu_gradients_of(const GatedGeluGradientsProblem& problem, const ParallelFor& parallel_for) {
  const std::int64_t width = problem.forward.width;
  parallel_for(problem.forward.rows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const Storage* value = static_cast<const Storage*>(problem.forward.in) + row * 2 * width;
      const Storage* gate = value + width;
      const Storage* of_out = static_cast<const Storage*>(problem.of_out) + row * width;
      Storage* of_value = static_cast<Storage*>(problem.of_in) + row * 2 * width;
      Storage* of_gate = of_value + width;
      for (std::int64_t i = 0; i < width; ++i) {
        const float gradient = to_float(of_out[i]);
        const float x = to_float(gate[i]);
        of_value[i] = from_float<Storage>(gradient * gelu(x));
        of_gate[i] = from_float<Storage>(gradient * to_float(value[i]) * gelu_slope(x));
      }
    }
  });
}

}  // namespace

void avx512_gated_gelu_fp32(const GatedGeluProblem& problem, const ParallelFor& parallel_for) {
  gated_gelu_of<float>(problem, parallel_for);
}

void avx512_gated_gelu_bf16(const GatedGeluProblem& problem, const ParallelFor& parallel_for) {
  gated_gelu_of<std::uint16_t>(problem, parallel_for);
}

void avx512_gated_gelu_gradients_fp32(const GatedGeluGradientsProblem& problem, const ParallelFor& parallel_for) {
  gated_gelu_gradients_of<float>(problem, parallel_for);
}

void avx512_gated_gelu_gradients_bf16(const GatedGeluGradientsProblem& problem, const ParallelFor& parallel_for) {
  gated_gelu_gradients_of<std::uint16_t>(problem, parallel_for);
}

}  // namespace unianimate::nn
