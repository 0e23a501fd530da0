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

}  // namespace

void avx512_gated_gelu_fp32(const GatedGeluProblem& problem, const ParallelFor& parallel_for) {
  gated_gelu_of<float>(problem, parallel_for);
}

void avx512_gated_gelu_bf16(const GatedGeluProblem& problem, const ParallelFor& parallel_for) {
  gated_gelu_of<std::uint16_t>(problem, parallel_for);
}

}  // namespace unianimate::nn
