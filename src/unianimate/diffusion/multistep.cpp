#include "unianimate/diffusion/multistep.h"

#include <cmath>

namespace unianimate::diffusion {

namespace {

constexpr double kLeastSignalPower = 0x1p-24;
/// How far a step may look ahead, in lengths of the step before.
constexpr double kFurthest = 2;

Level with_signal(Level level) {
  if (level.signal_power > 0) return level;
  level.signal_power = kLeastSignalPower;
  level.noise_power -= kLeastSignalPower;
  return level;
}

double log_ratio(const Level& level) {
  return (std::log(level.signal_power) - std::log(level.noise_power)) / 2;
}

}  // namespace

MultistepLevels::MultistepLevels(const NoiseProcess& process, const SamplerOptions& options) {
  const std::vector<LevelPair> steps = process.steps(options);
  for (const LevelPair& step : steps) levels_.push_back(with_signal(step.from));
  levels_.push_back(steps.back().to);
  for (std::size_t i = 0; i < step_count(); ++i) {
    distances_.push_back(log_ratio(level(i + 1)) - log_ratio(level(i)));
  }
}

std::vector<int> MultistepLevels::safe_orders() const {
  std::vector<int> orders(step_count(), 1);
  for (std::size_t i = 1; i + 1 < orders.size(); ++i) {
    if (distance(i) > 0 && distance(i) <= kFurthest * distance(i - 1)) orders[i] = 2;
  }
  return orders;
}

}  // namespace unianimate::diffusion
