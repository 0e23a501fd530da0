#include "unianimate/diffusion/noise_schedule.h"

#include <fmt/format.h>

#include <cmath>

namespace unianimate::diffusion {

namespace {

constexpr double kBetaStart = 0.00085;
constexpr double kBetaEnd = 0.012;

std::vector<double> scaled_linear_betas(std::size_t count) {
  std::vector<double> betas(count);
  const double start = std::sqrt(kBetaStart);
  const double end = std::sqrt(kBetaEnd);
  for (std::size_t t = 0; t < count; ++t) {
    const double root = start + (end - start) * static_cast<double>(t) / static_cast<double>(count - 1);
    betas[t] = root * root;
  }
  return betas;
}

std::vector<double> cumulative_alphas(const std::vector<double>& betas) {
  std::vector<double> alphas_cumprod;
  double product = 1.0;
  for (const double beta : betas) alphas_cumprod.push_back(product *= 1.0 - beta);
  return alphas_cumprod;
}

/// Shifts and scales √ᾱ so that the last is 0 and the first stays, and returns the betas of that.
std::vector<double> rescale_to_zero_terminal_snr(const std::vector<double>& betas) {
  std::vector<double> roots = cumulative_alphas(betas);
  for (double& root : roots) root = std::sqrt(root);
  const double first = roots.front();
  const double last = roots.back();
  for (double& root : roots) root = (root - last) * first / (first - last);
  std::vector<double> rescaled{1.0 - roots[0] * roots[0]};
  for (std::size_t t = 1; t < roots.size(); ++t) {
    rescaled.push_back(1.0 - (roots[t] * roots[t]) / (roots[t - 1] * roots[t - 1]));
  }
  return rescaled;
}

}  // namespace

NoiseSchedule::NoiseSchedule()
    : betas_(rescale_to_zero_terminal_snr(scaled_linear_betas(kTimesteps))),
      alphas_cumprod_(cumulative_alphas(betas_)) {}

Level NoiseSchedule::at(double timestep) const {
  const double alpha = alpha_cumprod(static_cast<std::int64_t>(timestep));
  return {timestep, alpha, 1.0 - alpha};
}

std::vector<LevelPair> NoiseSchedule::steps(const SamplerOptions& options) const {
  const std::vector<std::int64_t> times = timesteps(options.timesteps, options.steps);
  const bool published = options.timesteps.rule == TimestepRule::kPublished;
  std::vector<LevelPair> levels;
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    const std::int64_t to = published ? times[i] - published_stride(options.steps) : times[i + 1];
    levels.push_back({at(static_cast<double>(times[i])), at(static_cast<double>(to))});
  }
  const bool clean = options.final_level == FinalLevel::kZero;
  levels.push_back({at(static_cast<double>(times.back())), clean ? Level{} : at(0)});
  return levels;
}

std::string NoiseSchedule::note(const SamplerOptions& options) const {
  const bool published = options.sampler == "ddim" && options.timesteps.rule == TimestepRule::kPublished;
  if (!published || timesteps(options.timesteps, options.steps).front() < kTimesteps - 1) return {};
  return fmt::format(
      "with {} steps the published timesteps begin at pure noise, where the published program divides by zero and "
      "makes "
      "no picture; here the limit is taken",
      options.steps);
}

Prediction NoiseSchedule::prediction(const Level& level, const at::Tensor& x, const at::Tensor& v) const {
  return prediction_from_v(level, x, v);
}

}  // namespace unianimate::diffusion
