#include "unianimate/diffusion/timesteps.h"

#include <algorithm>
#include <array>

namespace unianimate::diffusion {

namespace {

std::vector<TimestepPair> leading(std::int64_t steps) {
  const std::int64_t stride = kTimesteps / steps;
  std::vector<TimestepPair> pairs;
  for (std::int64_t t = 0; t < kTimesteps; t += stride) {
    const std::int64_t timestep = std::min(1 + t, kTimesteps - 1);
    pairs.push_back({timestep, std::max<std::int64_t>(timestep - stride, 0)});
  }
  std::ranges::reverse(pairs);
  return pairs;
}

std::vector<TimestepPair> trailing(std::int64_t steps) {
  const auto timestep = [&](std::int64_t i) { return (2 * i * kTimesteps + steps) / (2 * steps) - 1; };
  std::vector<TimestepPair> pairs;
  for (std::int64_t i = steps; i > 0; --i) pairs.push_back({timestep(i), i > 1 ? timestep(i - 1) : 0});
  return pairs;
}

/// In the order of the enumeration.
constexpr std::array kSpacings{leading, trailing};

}  // namespace

std::vector<TimestepPair> timestep_pairs(TimestepSpacing spacing, std::int64_t steps) {
  return kSpacings.at(static_cast<std::size_t>(spacing))(steps);
}

}  // namespace unianimate::diffusion
