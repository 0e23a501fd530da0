#include "unianimate/diffusion/ddim.h"

#include <algorithm>
#include <cmath>

#include "unianimate/core/error.h"

namespace unianimate::diffusion {

void DdimOptions::check() const {
  if (steps < 1 || steps > NoiseSchedule::kTimesteps) {
    throw Error(ErrorKind::kUsage, "steps must be between 1 and {}, found {}", NoiseSchedule::kTimesteps, steps);
  }
  if (!(eta >= 0.0 && eta <= 1.0)) throw Error(ErrorKind::kUsage, "eta must be between 0 and 1, found {}", eta);
}

std::string_view timestep_spacing_name(TimestepSpacing spacing) {
  return spacing == TimestepSpacing::kLeading ? "leading" : "trailing";
}

TimestepSpacing parse_timestep_spacing(std::string_view name) {
  for (const TimestepSpacing spacing : {TimestepSpacing::kLeading, TimestepSpacing::kTrailing}) {
    if (name == timestep_spacing_name(spacing)) return spacing;
  }
  throw Error(ErrorKind::kUsage, "timestep spacing is leading or trailing, found '{}'", printable(name));
}

std::vector<std::int64_t> DdimOptions::timesteps() const {
  constexpr std::int64_t kAll = NoiseSchedule::kTimesteps;
  std::vector<std::int64_t> timesteps;
  if (spacing == TimestepSpacing::kTrailing) {
    for (std::int64_t i = steps; i > 0; --i) timesteps.push_back((2 * i * kAll + steps) / (2 * steps) - 1);
    return timesteps;
  }
  for (std::int64_t t = 0; t < kAll; t += stride()) {
    timesteps.push_back(std::min(1 + t, kAll - 1));
  }
  std::ranges::reverse(timesteps);
  return timesteps;
}

at::Tensor DdimStep::apply(const NoiseSchedule& schedule, const at::Tensor& x, const at::Tensor& v,
                           const at::Tensor& noise) const {
  const auto [x0, eps] = schedule.from_v(x, v, timestep);
  const at::Tensor next = std::sqrt(alpha_prev) * x0 + std::sqrt(1 - alpha_prev - sigma * sigma) * eps;
  return sigma > 0.0 && timestep > 0 ? next + sigma * noise : next;
}

std::vector<DdimStep> ddim_steps(const NoiseSchedule& schedule, const DdimOptions& options) {
  options.check();
  const std::vector<std::int64_t> timesteps = options.timesteps();
  const auto following = [&](std::size_t i) {
    if (options.spacing == TimestepSpacing::kLeading) return std::max<std::int64_t>(timesteps[i] - options.stride(), 0);
    return i + 1 < timesteps.size() ? timesteps[i + 1] : 0;
  };
  std::vector<DdimStep> steps;
  for (std::size_t i = 0; i < timesteps.size(); ++i) {
    const double alpha = schedule.alpha_cumprod(timesteps[i]);
    const double alpha_prev = schedule.alpha_cumprod(following(i));
    const double sigma =
        options.eta == 0.0 ? 0.0 : options.eta * std::sqrt((1 - alpha_prev) / (1 - alpha) * (1 - alpha / alpha_prev));
    steps.push_back({timesteps[i], alpha_prev, sigma});
  }
  return steps;
}

at::Tensor ddim_sample(const NoiseSchedule& schedule, const DdimOptions& options, at::Tensor x, const Denoiser& denoise,
                       std::optional<at::Generator> generator, const Progress& progress) {
  for (const DdimStep& step : ddim_steps(schedule, options)) {
    progress.throw_if_cancelled();
    const at::Tensor v = denoise(x, step.timestep);
    x = step.apply(schedule, x, v, options.eta > 0.0 ? at::randn(x.sizes(), generator, x.options()) : at::Tensor());
  }
  return x;
}

}  // namespace unianimate::diffusion
