#include "unianimate/training/consistency_loss.h"

#include <algorithm>
#include <cmath>

#include "unianimate/diffusion/consistency.h"

namespace unianimate::training {

namespace {

using diffusion::consistency_timestep;

/// Of one clip.
struct Factors {
  double of_z;
  double of_v;
};

/// Square roots of ᾱ and 1 − ᾱ.
struct Roots {
  double signal;
  double spread;
};

/// Without new noise from one level to another: x0 = signal · z − spread · v and ε = signal · v + spread · z, mixed
/// anew.
Factors between(const Roots& from, const Roots& to) {
  return {to.signal * from.signal + to.spread * from.spread, to.spread * from.signal - to.signal * from.spread};
}

Factors consistency_function(std::int64_t timestep, const Roots& at) {
  const auto [clean, kept] = diffusion::consistency_boundary(static_cast<double>(timestep));
  return {clean * at.signal + kept, -clean * at.spread};
}

/// The largest edge that is not above the entry.
std::int64_t end_of_phase(std::int64_t entry, std::int64_t phases) {
  std::int64_t phase = phases - 1;
  while (diffusion::phase_edge(phase, phases) > entry) --phase;
  return diffusion::phase_edge(phase, phases);
}

class Column {
 public:
  explicit Column(const at::TensorOptions& options) : options_(options) {}
  void push_back(double value) { values_.push_back(value); }
  [[nodiscard]] at::Tensor tensor() const {
    return at::tensor(values_, at::kDouble)
        .to(options_.device(), c10::typeMetaToScalarType(options_.dtype()))
        .view({-1, 1, 1, 1, 1});
  }

 private:
  at::TensorOptions options_;
  std::vector<double> values_;
};

class Columns {
 public:
  explicit Columns(const at::TensorOptions& options) : of_z_(options), of_v_(options) {}
  void push_back(const Factors& factors) {
    of_z_.push_back(factors.of_z);
    of_v_.push_back(factors.of_v);
  }
  [[nodiscard]] LinearInV linear() const { return {of_z_.tensor(), of_v_.tensor()}; }

 private:
  Column of_z_;
  Column of_v_;
};

}  // namespace

ConsistencySteps consistency_steps(const std::vector<std::int64_t>& entries, DistillationMethod method,
                                   std::int64_t phases, const diffusion::NoiseSchedule& schedule,
                                   const at::TensorOptions& options) {
  const auto roots_at = [&](std::int64_t timestep) {
    const double power = schedule.alpha_cumprod(timestep);
    return Roots{std::sqrt(power), std::sqrt(1 - power)};
  };
  std::vector<std::int64_t> timesteps;
  std::vector<std::int64_t> next;
  Column signal(options);
  Column spread(options);
  Columns solver(options);
  Columns prediction(options);
  Columns target(options);
  for (const std::int64_t entry : entries) {
    const std::int64_t t = consistency_timestep(entry);
    const std::int64_t t_next = consistency_timestep(entry - 1);
    const Roots from = roots_at(t);
    const Roots to = roots_at(t_next);
    timesteps.push_back(t);
    next.push_back(t_next);
    signal.push_back(from.signal);
    spread.push_back(from.spread);
    solver.push_back(between(from, to));
    if (method == DistillationMethod::kLcm) {
      prediction.push_back(consistency_function(t, from));
      target.push_back(consistency_function(t_next, to));
    } else {
      const std::int64_t edge = end_of_phase(entry, phases);
      const Roots end = roots_at(consistency_timestep(edge - 1));
      prediction.push_back(between(from, end));
      target.push_back(edge == entry ? Factors{1, 0} : between(to, end));
    }
  }
  return {at::tensor(timesteps).to(options.device()),
          at::tensor(next).to(options.device()),
          signal.tensor(),
          spread.tensor(),
          solver.linear(),
          prediction.linear(),
          target.linear()};
}

at::Tensor pseudo_huber(const at::Tensor& prediction, const at::Tensor& target) {
  constexpr double kFlat = 0.001;
  return ((prediction - target).square() + kFlat * kFlat).sqrt().mean() - kFlat;
}

}  // namespace unianimate::training
