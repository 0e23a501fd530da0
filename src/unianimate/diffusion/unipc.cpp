#include "unianimate/diffusion/unipc.h"

#include <cmath>

namespace unianimate::diffusion {

namespace {

/// From one level to the next: x' = keep · x + clean · x0 + back · (x0 − x0 of the step before)
///                                  + ahead · (x0 at the next level − x0), the last in the corrector only.
struct UniPcCoefficients {
  double keep = 0;
  double clean = 0;
  double back = 0;
  double ahead = 0;
};

struct Step {
  UniPcCoefficients predictor;
  UniPcCoefficients corrector;  ///< of the same step
};

/// φ_k(z) / B · (k − 1)! for k = 2 and 3, the right side of the equations for the corrector's ρ.
struct RightSide {
  double b1;
  double b2;
};

RightSide right_side(double h, double b) {
  const double phi2 = std::expm1(-h) / -h - 1;
  const double phi3 = phi2 / -h - 1.0 / 2;
  return {phi2 / b, 2 * phi3 / b};
}

Step make_step(const MultistepLevels& levels, std::size_t i, int order, UniPcB kind) {
  const double h = levels.distance(i);
  const double e = std::expm1(-h);
  const double b = kind == UniPcB::kBh1 ? -h : e;
  const Level& to = levels.level(i + 1);
  const double keep = to.noise() / levels.level(i).noise();
  const double clean = -to.signal() * e;
  const double scale = -to.signal() * b;
  constexpr double kRho = 0.5;
  if (order == 1) return {{keep, clean, 0, 0}, {keep, clean, 0, scale * kRho}};
  // D = (x0 before − x0) / r with r = λ of the level before, less that of this one, in units of h.
  const double r = -levels.distance(i - 1) / h;
  const auto [b1, b2] = right_side(h, b);
  const double rho1 = (b1 - b2) / (1 - r);
  return {{keep, clean, scale * kRho / -r, 0}, {keep, clean, scale * rho1 / -r, scale * (b1 - rho1)}};
}

/// Where step() finds what it keeps.
enum Kept : std::size_t { kX0, kX0Before, kCorrected };

class UniPc final : public Sampler {
 public:
  UniPc(const MultistepLevels& levels, const std::vector<UniPcStep>& steps, UniPcB b)
      : levels_(levels.asked().begin(), levels.asked().end()) {
    for (std::size_t i = 0; i < levels.step_count(); ++i) {
      steps_.push_back(make_step(levels, i, steps.at(i).order, b));
      corrects_.push_back(steps.at(i).corrects);
    }
  }

  [[nodiscard]] std::span<const Level> levels() const override { return levels_; }
  [[nodiscard]] std::vector<std::string> state_names() const override { return {"x0", "x0_before", "corrected"}; }

  [[nodiscard]] at::Tensor step(std::size_t i, const at::Tensor& x, const Prediction& prediction,
                                const NamedTensors& state, const at::Tensor& /*noise*/) const override {
    const at::Tensor& x0 = state.at(kX0).tensor;
    const at::Tensor& x0_before = state.at(kX0Before).tensor;
    const at::Tensor& corrected = state.at(kCorrected).tensor;
    if (i > 0 && corrects_.at(i - 1)) {
      const auto& [keep, clean, back, ahead] = steps_.at(i - 1).corrector;
      corrected.copy_(keep * corrected + clean * x0 + back * (x0 - x0_before) + ahead * (prediction.x0 - x0));
    } else {
      corrected.copy_(x);
    }
    x0_before.copy_(x0);
    x0.copy_(prediction.x0);
    const auto& [keep, clean, back, ahead] = steps_.at(i).predictor;
    return keep * corrected + clean * x0 + back * (x0 - x0_before);
  }

 private:
  std::vector<Level> levels_;
  std::vector<Step> steps_;
  std::vector<bool> corrects_;
};

std::unique_ptr<Sampler> unipc_of(const NoiseProcess& process, const SamplerOptions& options, UniPcB b) {
  const MultistepLevels levels(process, options);
  std::vector<UniPcStep> steps;
  for (const int order : levels.safe_orders()) steps.push_back({order, true});
  return make_unipc(levels, steps, b);
}

}  // namespace

std::unique_ptr<Sampler> make_unipc(const MultistepLevels& levels, const std::vector<UniPcStep>& steps, UniPcB b) {
  return std::make_unique<UniPc>(levels, steps, b);
}

std::unique_ptr<Sampler> make_unipc(const NoiseProcess& process, const SamplerOptions& options) {
  return unipc_of(process, options, UniPcB::kBh2);
}

std::unique_ptr<Sampler> make_unipc_bh1(const NoiseProcess& process, const SamplerOptions& options) {
  return unipc_of(process, options, UniPcB::kBh1);
}

}  // namespace unianimate::diffusion
