#include "unianimate/diffusion/dpm_solver.h"

#include <cmath>

namespace unianimate::diffusion {

namespace {

/// x' = keep · x + clean · (x0 + back · (x0 − x0 of the step before)) + noise · n
struct DpmCoefficients {
  double keep = 0;
  double clean = 0;
  double back = 0;
  double noise = 0;
};

DpmCoefficients coefficients(const MultistepLevels& levels, std::size_t i, int order, bool draws_noise) {
  const double h = levels.distance(i);
  const Level& to = levels.level(i + 1);
  const double ratio = to.noise() / levels.level(i).noise();
  const double back = order == 2 ? h / (2 * levels.distance(i - 1)) : 0;
  if (!draws_noise) return {ratio, -to.signal() * std::expm1(-h), back, 0};
  const double renewed = -std::expm1(-2 * h);
  return {ratio * std::exp(-h), to.signal() * renewed, back, to.noise() * std::sqrt(renewed)};
}

class DpmSolver final : public Sampler {
 public:
  DpmSolver(const MultistepLevels& levels, const std::vector<int>& orders, bool draws_noise)
      : levels_(levels.asked().begin(), levels.asked().end()), draws_noise_(draws_noise) {
    for (std::size_t i = 0; i < levels.step_count(); ++i) {
      steps_.push_back(coefficients(levels, i, orders.at(i), draws_noise));
    }
  }

  [[nodiscard]] std::span<const Level> levels() const override { return levels_; }
  [[nodiscard]] bool draws_noise() const override { return draws_noise_; }
  [[nodiscard]] std::vector<std::string> state_names() const override { return {"x0"}; }

  [[nodiscard]] at::Tensor step(std::size_t i, const at::Tensor& x, const Prediction& prediction,
                                const NamedTensors& state, const at::Tensor& noise) const override {
    const auto& [keep, clean, back, noise_share] = steps_.at(i);
    const at::Tensor& before = state.at(0).tensor;
    const at::Tensor& x0 = prediction.x0;
    at::Tensor next = keep * x + clean * (back > 0 ? x0 + back * (x0 - before) : x0);
    if (noise_share > 0) next += noise_share * noise;
    before.copy_(x0);
    return next;
  }

 private:
  std::vector<Level> levels_;
  std::vector<DpmCoefficients> steps_;
  bool draws_noise_;
};

std::unique_ptr<Sampler> dpm_solver_of(const NoiseProcess& process, const SamplerOptions& options, bool draws_noise) {
  const MultistepLevels levels(process, options);
  return make_dpm_solver(levels, levels.safe_orders(), draws_noise);
}

}  // namespace

std::unique_ptr<Sampler> make_dpm_solver(const MultistepLevels& levels, const std::vector<int>& orders,
                                         bool draws_noise) {
  return std::make_unique<DpmSolver>(levels, orders, draws_noise);
}

std::unique_ptr<Sampler> make_dpm_solver(const NoiseProcess& process, const SamplerOptions& options) {
  return dpm_solver_of(process, options, false);
}

std::unique_ptr<Sampler> make_dpm_solver_sde(const NoiseProcess& process, const SamplerOptions& options) {
  return dpm_solver_of(process, options, true);
}

}  // namespace unianimate::diffusion
