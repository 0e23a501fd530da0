#include "unianimate/diffusion/timesteps.h"

#include <algorithm>
#include <array>

#include "unianimate/core/error.h"

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

struct NamedSpacing {
  TimestepSpacing spacing;
  std::string_view name;
  std::vector<TimestepPair> (*make)(std::int64_t steps);
};

/// In the order of the enumeration.
constexpr std::array kSpacings{NamedSpacing{TimestepSpacing::kLeading, "leading", leading},
                               NamedSpacing{TimestepSpacing::kTrailing, "trailing", trailing}};

const NamedSpacing& named(TimestepSpacing spacing) {
  return kSpacings.at(static_cast<std::size_t>(spacing));
}

}  // namespace

std::string_view timestep_spacing_name(TimestepSpacing spacing) {
  return named(spacing).name;
}

TimestepSpacing parse_timestep_spacing(std::string_view name) {
  const auto found = std::ranges::find(kSpacings, name, &NamedSpacing::name);
  if (found != kSpacings.end()) return found->spacing;
  throw Error(ErrorKind::kUsage, "timestep spacing is leading or trailing, found '{}'", printable(name));
}

std::vector<TimestepPair> timestep_pairs(TimestepSpacing spacing, std::int64_t steps) {
  return named(spacing).make(steps);
}

}  // namespace unianimate::diffusion
