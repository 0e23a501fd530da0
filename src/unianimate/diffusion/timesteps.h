// At which timesteps of 1000 a sampler asks a model, by name.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "unianimate/fields/words.h"

namespace unianimate::diffusion {

/// Timesteps of the training, 0 … kTimesteps − 1.
constexpr std::int64_t kTimesteps = 1000;

/// One step of a sampler: where the model is asked, and which timestep the step leads to.
struct TimestepPair {
  std::int64_t from = 0;
  std::int64_t to = 0;

  bool operator==(const TimestepPair&) const = default;
};

/// Which timesteps the model is asked at ("Common Diffusion Noise Schedules and Sample Steps are Flawed", table 2).
enum class TimestepSpacing {
  kLeading,  ///< published: clamp(1 + {0, stride, 2·stride, … < 1000}, 0, 999) with stride 1000 div steps; each step
             ///< leads down by the stride. May be one more than `steps`
  kTrailing,  ///< round({1, 2, … steps} · 1000 / steps) − 1: begins at 999 however few they are; each leads to the next
};

constexpr auto words(TimestepSpacing /*of*/) {
  return std::array<fields::Word<TimestepSpacing>, 2>{
      {{TimestepSpacing::kLeading, "leading"}, {TimestepSpacing::kTrailing, "trailing"}}};
}

/// Descending, the last one to timestep 0. `steps`: 1 … kTimesteps.
std::vector<TimestepPair> timestep_pairs(TimestepSpacing spacing, std::int64_t steps);

}  // namespace unianimate::diffusion
