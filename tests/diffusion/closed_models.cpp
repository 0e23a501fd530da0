#include "diffusion/closed_models.h"

#include <cmath>
#include <map>

#include "support/rule.h"

namespace unianimate::testing {

namespace {

constexpr double kGaussSpread = 0.5;
constexpr double kMixMean = 0.9;
constexpr double kMixSpread = 0.25;

at::Tensor gauss_mean() {
  return 0.8 * sampler_input("sampler_mu");
}

/// Variance of data of this spread with the noise of `level`.
double variance(const diffusion::Level& level, double spread) {
  return level.signal_power * spread * spread + level.noise_power;
}

at::Tensor gauss(const at::Tensor& x, const diffusion::Level& level) {
  constexpr double kPower = kGaussSpread * kGaussSpread;
  const at::Tensor mean = gauss_mean();
  return level.signal() * level.noise() * (1 - kPower) / variance(level, kGaussSpread) * (x - level.signal() * mean) -
         level.noise() * mean;
}

at::Tensor mix(const at::Tensor& x, const diffusion::Level& level) {
  const double d = variance(level, kMixSpread);
  const at::Tensor x0 = level.signal() * kMixSpread * kMixSpread / d * x +
                        level.noise_power / d * kMixMean * at::tanh(level.signal() * kMixMean / d * x);
  return (level.signal() * x - x0) / level.noise();
}

class Mlp {
 public:
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, double time) const {
    const at::Tensor inner = b1_ + time_ * (time / 1000);
    const at::Tensor hidden = at::tanh(at::einsum("hc,bcfyx->bhfyx", {w1_, x}) + inner.view({1, -1, 1, 1, 1}));
    return at::einsum("ch,bhfyx->bcfyx", {w2_, hidden}) + b2_.view({1, -1, 1, 1, 1});
  }

 private:
  static at::Tensor weight(const std::string& name, at::IntArrayRef shape) {
    return rule_weight(name, shape).to(at::kDouble);
  }

  at::Tensor w1_ = weight("sampler.w1.weight", {16, 4});
  at::Tensor b1_ = weight("sampler.w1.bias", {16});
  at::Tensor time_ = weight("sampler.time", {16});
  at::Tensor w2_ = weight("sampler.w2.weight", {4, 16});
  at::Tensor b2_ = weight("sampler.w2.bias", {4});
};

}  // namespace

at::Tensor sampler_input(const std::string& name) {
  return rule_input(name, kLatentSides).to(at::kDouble);
}

ClosedModel closed_model(const std::string& name) {
  static const std::map<std::string, std::function<at::Tensor(const at::Tensor&, const diffusion::Level&)>> kModels{
      {"gauss", gauss}, {"mix", mix}, {"mlp", [model = Mlp()](const at::Tensor& x, const diffusion::Level& level) {
                                         return model(x, level.time);
                                       }}};
  static const diffusion::NoiseSchedule kSchedule;
  return [model = kModels.at(name)](const at::Tensor& x, std::int64_t timestep) {
    return model(x.to(at::kDouble), kSchedule.at(static_cast<double>(timestep)));
  };
}

at::Tensor gauss_solution(const at::Tensor& x, const diffusion::Level& from, const diffusion::Level& to) {
  const at::Tensor mean = gauss_mean();
  const double growth = std::sqrt(variance(to, kGaussSpread) / variance(from, kGaussSpread));
  return to.signal() * mean + growth * (x - from.signal() * mean);
}

}  // namespace unianimate::testing
