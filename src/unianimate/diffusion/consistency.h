// What consistency models are distilled on: a grid of timesteps, a boundary, and phases of it (Song et al.,
// "Consistency Models", arXiv 2303.01469; Luo et al., "Latent Consistency Models", arXiv 2310.04378; Wang et al.,
// "Phased Consistency Model", arXiv 2405.18407).
#pragma once

#include <cmath>
#include <cstdint>

#include "unianimate/diffusion/timesteps.h"

namespace unianimate::diffusion {

/// Timesteps 19, 39, … 999.
inline constexpr std::int64_t kConsistencyGrid = 50;
inline constexpr std::int64_t kConsistencyStride = kTimesteps / kConsistencyGrid;

/// The timestep of entry 0 … kConsistencyGrid − 1; of −1, from where the first entry's step leads, 0.
constexpr std::int64_t consistency_timestep(std::int64_t entry) {
  return entry < 0 ? 0 : kConsistencyStride * (entry + 1) - 1;
}

/// The entry with which phase 0 … phases − 1 ends; its own level is that of the entry before.
constexpr std::int64_t phase_edge(std::int64_t phase, std::int64_t phases) {
  return kConsistencyGrid * phase / phases;
}

/// The consistency function is clean · x0 + kept · x, which at timestep 0 is x itself.
struct ConsistencyBoundary {
  double clean;
  double kept;
};

/// With σ_data = 0.5 and timesteps times 10, as VideoLCM (arXiv 2312.09109) and diffusers have it.
inline ConsistencyBoundary consistency_boundary(double timestep) {
  constexpr double kDataPower = 0.25;
  const double s = 10 * timestep;
  return {s / std::sqrt(s * s + kDataPower), kDataPower / (s * s + kDataPower)};
}

}  // namespace unianimate::diffusion
