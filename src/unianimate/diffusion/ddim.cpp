#include "unianimate/diffusion/ddim.h"

#include <algorithm>
#include <cmath>

namespace unianimate::diffusion {

namespace {

/// Deviation of the new noise of a step: of the posterior of x' given x and x0 for eta 1. The published
/// η √((1 − ᾱ') / (1 − ᾱ) · (1 − ᾱ / ᾱ')) where powers add up to 1; by how much they do not comes on top, which changes
/// no bit where that is 0.
double new_noise(const LevelPair& step, double eta) {
  if (eta == 0.0) return 0.0;
  const auto& [from, to] = step;
  const auto excess = [](const Level& level) { return level.signal_power + level.noise_power - 1; };
  const double ratio = from.signal_power / to.signal_power;
  const double rest = 1 - ratio + (excess(from) - excess(to) * ratio);
  return eta * std::sqrt(to.noise_power / from.noise_power * rest);
}

class Ddim final : public Sampler {
 public:
  Ddim(const NoiseProcess& process, const SamplerOptions& options) {
    const double eta = options.eta.value_or(0);
    draws_noise_ = eta > 0.0;
    for (const LevelPair& step : process.steps(options)) {
      levels_.push_back(step.from);
      to_.push_back(step.to);
      sigmas_.push_back(new_noise(step, eta));
    }
  }

  [[nodiscard]] std::span<const Level> levels() const override { return levels_; }
  [[nodiscard]] bool draws_noise() const override { return draws_noise_; }

  [[nodiscard]] at::Tensor step(std::size_t i, const at::Tensor& /*x*/, const Prediction& prediction,
                                const NamedTensors& /*state*/, const at::Tensor& noise) const override {
    const Level& to = to_.at(i);
    const double sigma = sigmas_.at(i);
    // All of the noise may be new, but for a rounding.
    const double kept = std::sqrt(std::max(to.noise_power - sigma * sigma, 0.0));
    const at::Tensor next = to.signal() * prediction.x0 + kept * prediction.eps;
    return sigma > 0.0 ? next + sigma * noise : next;
  }

 private:
  std::vector<Level> levels_;
  std::vector<Level> to_;
  std::vector<double> sigmas_;
  bool draws_noise_ = false;
};

}  // namespace

std::unique_ptr<Sampler> make_ddim(const NoiseProcess& process, const SamplerOptions& options) {
  return std::make_unique<Ddim>(process, options);
}

}  // namespace unianimate::diffusion
