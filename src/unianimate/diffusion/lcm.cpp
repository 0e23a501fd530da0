#include "unianimate/diffusion/lcm.h"

#include "unianimate/diffusion/consistency.h"

namespace unianimate::diffusion {

namespace {

class Lcm final : public Sampler {
 public:
  explicit Lcm(const std::vector<LevelPair>& steps) {
    for (const LevelPair& step : steps) levels_.push_back(step.from);
  }

  [[nodiscard]] std::span<const Level> levels() const override { return levels_; }
  [[nodiscard]] bool draws_noise() const override { return levels_.size() > 1; }

  [[nodiscard]] at::Tensor step(std::size_t i, const at::Tensor& x, const Prediction& prediction,
                                const NamedTensors& /*state*/, const at::Tensor& noise) const override {
    const auto [clean, kept] = consistency_boundary(levels_.at(i).time);
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
