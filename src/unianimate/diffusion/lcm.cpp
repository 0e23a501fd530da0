#include "unianimate/diffusion/lcm.h"

#include <cmath>

namespace unianimate::diffusion {

namespace {

/// σ_data² and the scale of timesteps in the boundary condition.
constexpr double kDataPower = 0.25;
constexpr double kTimestepScale = 10;

/// The consistency function: clean · x0 + kept · x, which at timestep 0 is x itself.
struct Boundary {
  double clean;
  double kept;
};

Boundary boundary(const Level& level) {
  const double s = kTimestepScale * level.time;
  return {s / std::sqrt(s * s + kDataPower), kDataPower / (s * s + kDataPower)};
}

class Lcm final : public Sampler {
 public:
  explicit Lcm(const std::vector<LevelPair>& steps) {
    for (const LevelPair& step : steps) levels_.push_back(step.from);
  }

  [[nodiscard]] std::span<const Level> levels() const override { return levels_; }
  [[nodiscard]] bool draws_noise() const override { return levels_.size() > 1; }

  [[nodiscard]] at::Tensor step(std::size_t i, const at::Tensor& x, const Prediction& prediction,
                                const NamedTensors& /*state*/, const at::Tensor& noise) const override {
    const auto [clean, kept] = boundary(levels_.at(i));
    const at::Tensor clean_latent = clean * prediction.x0 + kept * x;
    return i + 1 < levels_.size() ? noised(levels_.at(i + 1), clean_latent, noise) : clean_latent;
  }

 private:
  std::vector<Level> levels_;
};

}  // namespace

std::unique_ptr<Sampler> make_lcm(const NoiseProcess& process, const SamplerOptions& options) {
  return std::make_unique<Lcm>(process.steps(options));
}

}  // namespace unianimate::diffusion
