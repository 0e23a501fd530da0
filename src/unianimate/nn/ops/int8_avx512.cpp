// Compiled for AVX-512. The loops are plain C++ for the compiler to vectorise.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "unianimate/nn/ops/avx512.h"
#include "unianimate/nn/ops/vector_math.h"

namespace unianimate::nn {

namespace {

/// Elements that one thread takes at a time.
constexpr std::int64_t kElementsPerChunk = 1 << 16;

template <typename Body>
void for_each_chunk(std::int64_t count, const ParallelFor& parallel_for, const Body& body) {
  parallel_for((count + kElementsPerChunk - 1) / kElementsPerChunk, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t chunk = first; chunk < last; ++chunk) {
      const std::int64_t begin = chunk * kElementsPerChunk;
      body(chunk, begin, std::min(count, begin + kElementsPerChunk));
    }
  });
}

/// The range of some elements; not a number where one is none.
struct Range {
  float low = 0;
  float high = 0;
};

/// Elements side by side, since the compiler does not change the order of sums.
constexpr std::int64_t kLanes = 64;

template <typename Storage>
Range range_of(const Storage* x, std::int64_t count) {
  std::array<float, kLanes> low{};
  std::array<float, kLanes> high{};
  std::array<float, kLanes> finite{};  // 0 · x is 0 for finite ones only
  low.fill(to_float(x[0]));
  high.fill(to_float(x[0]));
  const auto add = [&](std::size_t lane, float value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
    finite[lane] += 0.0F * value;
  };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, to_float(x[i + static_cast<std::int64_t>(lane)]));
  }
  for (; i < count; ++i) add(0, to_float(x[i]));
  float sum = 0;
  for (const float lane : finite) sum += lane;
  return {std::ranges::min(low) + sum, std::ranges::max(high) + sum};
}

template <typename Storage>
void value_range_of(ValueRange& problem, const ParallelFor& parallel_for) {
  const auto* x = static_cast<const Storage*>(problem.x);
  std::vector<Range> ranges(static_cast<std::size_t>((problem.count + kElementsPerChunk - 1) / kElementsPerChunk));
  for_each_chunk(problem.count, parallel_for, [&](std::int64_t chunk, std::int64_t begin, std::int64_t end) {
    ranges[static_cast<std::size_t>(chunk)] = range_of(x + begin, end - begin);
  });
  problem.low = ranges.front().low;
  problem.high = ranges.front().high;
  for (const Range& range : ranges) {
    if (std::isnan(range.low)) problem.low = problem.high = range.low;
    problem.low = range.low < problem.low ? range.low : problem.low;
    problem.high = range.high > problem.high ? range.high : problem.high;
  }
}

template <typename Storage>
void quantize_of(const QuantizeProblem& problem, const ParallelFor& parallel_for) {
  const auto* x = static_cast<const Storage*>(problem.x);
  for_each_chunk(problem.count, parallel_for, [&](std::int64_t /*chunk*/, std::int64_t begin, std::int64_t end) {
    // Adding 1.5·2²³ rounds to the nearest integer, which then stands in the low bits.
    constexpr float kRounder = 12582912.0F;
    const float inverse = problem.inverse_scale;
    const float zero = problem.zero;
    const float highest = problem.highest;
    std::uint8_t* const out = problem.out;
    for (std::int64_t i = begin; i < end; ++i) {
      float step = to_float(x[i]) * inverse + zero;
      step = step < 0.0F ? 0.0F : step;
      step = step > highest ? highest : step;
      out[i] = static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(step + kRounder));
    }
  });
}

}  // namespace

void avx512_value_range_fp32(ValueRange& problem, const ParallelFor& parallel_for) {
  value_range_of<float>(problem, parallel_for);
}

void avx512_value_range_bf16(ValueRange& problem, const ParallelFor& parallel_for) {
  value_range_of<std::uint16_t>(problem, parallel_for);
}

void avx512_quantize_fp32(const QuantizeProblem& problem, const ParallelFor& parallel_for) {
  quantize_of<float>(problem, parallel_for);
}

void avx512_quantize_bf16(const QuantizeProblem& problem, const ParallelFor& parallel_for) {
  quantize_of<std::uint16_t>(problem, parallel_for);
}

}  // namespace unianimate::nn
