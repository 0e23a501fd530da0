// Compiled for AVX-512. The loops are plain C++ for the compiler to vectorise.
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "unianimate/nn/ops/avx512.h"
#include "unianimate/nn/ops/vector_math.h"

namespace unianimate::nn {

namespace {

/// Partial sums side by side, which keep the rounding small as well.
constexpr std::size_t kLanes = 64;

/// Σ term(i) for i in 0 … count-1.
template <typename Term>
float sum_of(std::size_t count, const Term& term) {
  std::array<float, kLanes> lanes{};
  std::size_t first = 0;
  for (; first + kLanes <= count; first += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(first + lane);
  }
  for (std::size_t i = first; i < count; ++i) lanes[i - first] += term(i);
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

template <typename Storage>
void layer_norm_rows(const LayerNormProblem& problem, std::int64_t first, std::int64_t last) {
  const auto channels = static_cast<std::size_t>(problem.channels);
  const auto* weight = static_cast<const Storage*>(problem.weight);
  const auto* bias = static_cast<const Storage*>(problem.bias);
  std::vector<float> wide(channels);
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t begin = row * problem.channels;
    const Storage* x = static_cast<const Storage*>(problem.x) + begin;
    if (problem.added == nullptr) {
      for (std::size_t c = 0; c < channels; ++c) wide[c] = to_float(x[c]);
    } else {
      const Storage* added = static_cast<const Storage*>(problem.added) + begin;
      Storage* sum = static_cast<Storage*>(problem.sum) + begin;
      for (std::size_t c = 0; c < channels; ++c) {
        sum[c] = from_float<Storage>(to_float(x[c]) + to_float(added[c]));
        wide[c] = to_float(sum[c]);
      }
    }
    const float* values = wide.data();
    const float mean = sum_of(channels, [=](std::size_t c) { return values[c]; }) / static_cast<float>(channels);
    const float squares = sum_of(channels, [=](std::size_t c) { return (values[c] - mean) * (values[c] - mean); });
    const float variance = squares / static_cast<float>(channels);
    const float scale = 1.0F / std::sqrt(variance + static_cast<float>(problem.eps));
    Storage* out = static_cast<Storage*>(problem.out) + begin;
    for (std::size_t c = 0; c < channels; ++c) {
      out[c] = from_float<Storage>((values[c] - mean) * scale * to_float(weight[c]) + to_float(bias[c]));
    }
  }
}

template <typename Storage>
void layer_norm_of(const LayerNormProblem& problem, const ParallelFor& parallel_for) {
  parallel_for(problem.rows,
               [&](std::int64_t first, std::int64_t last) { layer_norm_rows<Storage>(problem, first, last); });
}

}  // namespace

void avx512_layer_norm_fp32(const LayerNormProblem& problem, const ParallelFor& parallel_for) {
  layer_norm_of<float>(problem, parallel_for);
}

void avx512_layer_norm_bf16(const LayerNormProblem& problem, const ParallelFor& parallel_for) {
  layer_norm_of<std::uint16_t>(problem, parallel_for);
}

}  // namespace unianimate::nn
