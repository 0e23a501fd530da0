#include "unianimate/checkpoint/finite.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstring>
#include <functional>
#include <limits>

namespace unianimate::checkpoint {

namespace {

/// Whether `value` is finite after the conversion that at::Tensor::to does.
bool stays_finite(double value, at::ScalarType to) {
  const auto narrow = static_cast<float>(value);
  switch (to) {
    case at::kFloat:
      return std::isfinite(narrow);
    case at::kBFloat16:
      return std::isfinite(static_cast<float>(at::BFloat16(narrow)));
    case at::kHalf:
      return std::isfinite(static_cast<float>(at::Half(narrow)));
    default:
      return std::isfinite(value);
  }
}

/// Counts in the bit patterns: without their sign they grow as the magnitudes do, and what is not finite lies above all
/// that is, so one comparison with the smallest such pattern tells.
template <std::signed_integral Bits, typename Value>
std::int64_t count(std::span<const char> bytes, at::ScalarType to) {
  constexpr Bits kMagnitude = std::numeric_limits<Bits>::max();
  const auto finite = [&](Bits bits) {
    Value value{};
    std::memcpy(&value, &bits, sizeof(value));
    return stays_finite(static_cast<double>(value), to);
  };
  if (finite(kMagnitude)) return 0;
  Bits last_finite = 0;
  Bits limit = kMagnitude;
  while (limit - last_finite > 1) {
    const Bits middle = static_cast<Bits>(last_finite + (limit - last_finite) / 2);
    (finite(middle) ? last_finite : limit) = middle;
  }

  constexpr std::int64_t kGrain = 1 << 16;
  const auto magnitude = [&](std::int64_t i) {
    Bits bits{};
    std::memcpy(&bits, bytes.data() + static_cast<std::size_t>(i) * sizeof(Bits), sizeof(Bits));
    return static_cast<Bits>(bits & kMagnitude);
  };
  const auto count_run = [&](std::int64_t begin, std::int64_t end, std::int64_t) {
    Bits largest = 0;
    for (std::int64_t i = begin; i < end; ++i) largest = std::max(largest, magnitude(i));
    if (largest < limit) return std::int64_t{0};
    std::int64_t found = 0;
    for (std::int64_t i = begin; i < end; ++i) found += magnitude(i) >= limit ? 1 : 0;
    return found;
  };
  return at::parallel_reduce(0, static_cast<std::int64_t>(bytes.size() / sizeof(Bits)), kGrain, std::int64_t{0},
                             count_run, std::plus<std::int64_t>());
}

}  // namespace

std::int64_t count_nonfinite(std::span<const char> bytes, ElementType from, at::ScalarType to) {
  switch (from) {
    case ElementType::kFloat64:
      return count<std::int64_t, double>(bytes, to);
    case ElementType::kFloat32:
      return count<std::int32_t, float>(bytes, to);
    case ElementType::kBFloat16:
      return count<std::int16_t, at::BFloat16>(bytes, to);
    case ElementType::kFloat16:
      return count<std::int16_t, at::Half>(bytes, to);
    case ElementType::kFloat8E5M2:
      return count<std::int8_t, at::Float8_e5m2>(bytes, to);
    case ElementType::kFloat8E4M3:
      return count<std::int8_t, at::Float8_e4m3fn>(bytes, to);
    default:
      return 0;
  }
}

}  // namespace unianimate::checkpoint
