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

std::vector<std::int64_t> DdimOptions::timesteps() const {
  std::vector<std::int64_t> timesteps;
  for (std::int64_t t = 0; t < NoiseSchedule::kTimesteps; t += stride()) {
    timesteps.push_back(std::clamp<std::int64_t>(1 + t, 0, NoiseSchedule::kTimesteps - 1));
  }
  std::ranges::reverse(timesteps);
  return timesteps;
}

at::Tensor ddim_sample(const NoiseSchedule& schedule, const DdimOptions& options, at::Tensor x, const Denoiser& denoise,
                       std::optional<at::Generator> generator, const Progress& progress) {
  options.check();
  const std::vector<std::int64_t> timesteps = options.timesteps();
  for (const std::int64_t t : timesteps) {
    progress.throw_if_cancelled();
    const auto [x0, eps] = schedule.from_v(x, denoise(x, t), t);
    const double alpha = schedule.alpha_cumprod(t);
    const double alpha_prev = schedule.alpha_cumprod(std::max<std::int64_t>(t - options.stride(), 0));
    const double sigma =
        options.eta == 0.0 ? 0.0 : options.eta * std::sqrt((1 - alpha_prev) / (1 - alpha) * (1 - alpha / alpha_prev));
    x = std::sqrt(alpha_prev) * x0 + std::sqrt(1 - alpha_prev - sigma * sigma) * eps;
    if (options.eta > 0.0) {
      const at::Tensor noise = at::randn(x.sizes(), generator, x.options());
      if (t > 0) x = x + sigma * noise;
    }
  }
  return x;
}

}  // namespace unianimate::diffusion
