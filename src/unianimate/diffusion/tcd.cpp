#include "unianimate/diffusion/tcd.h"

#include <cmath>

namespace unianimate::diffusion {

namespace {

class Tcd final : public Sampler {
 public:
  Tcd(const NoiseProcess& process, const SamplerOptions& options) {
    const std::vector<LevelPair> steps = process.steps(options);
    const double gamma = options.eta.value_or(0);
    draws_noise_ = gamma > 0 && steps.size() > 1;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      levels_.push_back(steps[i].from);
      const bool is_last = i + 1 == steps.size();
      const Level& next = is_last ? steps[i].to : steps[i + 1].from;
      const Level& beyond = is_last ? next : process.at(std::floor((1 - gamma) * next.time));
      ways_.push_back({beyond, beyond.signal_power > 0 ? next.signal_power / beyond.signal_power : 1});
    }
  }

  [[nodiscard]] std::span<const Level> levels() const override { return levels_; }
  [[nodiscard]] bool draws_noise() const override { return draws_noise_; }

  [[nodiscard]] at::Tensor step(std::size_t i, const at::Tensor& /*x*/, const Prediction& prediction,
                                const NamedTensors& /*state*/, const at::Tensor& noise) const override {
    const auto& [beyond, ratio] = ways_.at(i);
    at::Tensor there = noised(beyond, prediction.x0, prediction.eps);
    if (!draws_noise_ || i + 1 == ways_.size()) return there;
    return std::sqrt(ratio) * there + std::sqrt(1 - ratio) * noise;
  }

 private:
  struct Way {
    Level beyond;  ///< where the model's step leads
    double ratio;  ///< of the next level's signal power to that
  };

  std::vector<Level> levels_;
  std::vector<Way> ways_;
  bool draws_noise_ = false;
};

}  // namespace

std::unique_ptr<Sampler> make_tcd(const NoiseProcess& process, const SamplerOptions& options) {
  return std::make_unique<Tcd>(process, options);
}

}  // namespace unianimate::diffusion
