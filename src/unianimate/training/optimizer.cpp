#include "unianimate/training/optimizer.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/training/muon.h"
#include "unianimate/training/train_fields.h"

namespace unianimate::training {

namespace {

/// The average follows quickly at first, when the weights are still those of the beginning.
double warmed_up_decay(double decay, double updates) {
  constexpr double kHead = 10;
  return std::min(decay, (1 + updates) / (kHead + updates));
}

/// Rates of decay and what passes by the states of a Mamba, whose authors exempt them.
bool is_exempt_from_decay(std::string_view name) {
  constexpr std::array<std::string_view, 4> kExempt{".mamba.A_log", ".mamba.A_b_log", ".mamba.D", ".mamba.D_b"};
  return std::ranges::any_of(kExempt, [&](std::string_view end) { return name.ends_with(end); });
}

/// Those of all whose number is in `which`.
std::vector<at::Tensor> some_of(const std::vector<at::Tensor>& all, const std::vector<std::size_t>& which) {
  std::vector<at::Tensor> some;
  for (const std::size_t i : which) some.push_back(all[i]);
  return some;
}

}  // namespace

void OptimizerOptions::check() const {
  fields::check_ranges(*this, "optimizer.");
}

double OptimizerOptions::learning_rate_at(std::int64_t step, std::int64_t steps) const {
  if (step < warmup_steps) return learning_rate * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  const double first = decay_from * static_cast<double>(steps);
  const double length = static_cast<double>(steps) - first;
  const double share = length > 0 ? std::clamp((static_cast<double>(step) - first) / length, 0.0, 1.0) : 0.0;
  const double falling = 0.5 * (1 + std::cos(std::numbers::pi * share));
  return learning_rate * (last_learning_rate + (1 - last_learning_rate) * falling);
}

Optimizer::Optimizer(NamedTensors parameters, const OptimizerOptions& options, const NamedTensors& exact)
    : parameters_(std::move(parameters)), options_((options.check(), options)) {
  const c10::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& tensor = parameters_[i].tensor;
    const at::Tensor& weight = weights_.emplace_back(exact.empty() ? tensor.detach().to(at::kFloat) : exact[i].tensor);
    const std::string& name = parameters_[i].name;
    const bool exempt = is_exempt_from_decay(name);
    const bool by_muon = options_.kind == OptimizerKind::kMuon && !exempt && is_updated_by_muon(name, weight);
    first_moments_.push_back(at::zeros_like(weight));
    second_moments_.push_back(by_muon ? at::Tensor() : at::zeros_like(weight));
    if (options_.ema_decay > 0) averaged_.push_back(weight.clone());
    updates_.push_back(at::zeros({}, at::TensorOptions(weight.device()).dtype(at::kFloat)));
    (by_muon ? matrices_ : exempt ? exempt_ : decaying_).push_back(i);
    tensor.set_requires_grad(true);
  }
  if (options_.kind == OptimizerKind::kMuon && matrices_.empty()) {
    throw Error(ErrorKind::kUsage,
                "optimizer.kind: muon updates matrices with at least 16 channels on both sides, and nothing that is "
                "trained here has them; leave it out, or give lora a higher rank");
  }
}

void Optimizer::zero_gradients() {
  for (const auto& [name, tensor] : parameters_) tensor.mutable_grad().reset();
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> gradients;
  for (const auto& [name, tensor] : parameters_) {
    if (!tensor.grad().defined()) tensor.mutable_grad() = at::zeros_like(tensor.detach());
    gradients.push_back(tensor.grad());
  }
  return gradients;
}

double Optimizer::step(double learning_rate, double divisor) {
  const c10::NoGradGuard no_gradients;
  std::vector<at::Tensor> gradients = this->gradients();
  for (at::Tensor& gradient : gradients) gradient = gradient.to(at::kFloat);
  const double norm = at::stack(at::_foreach_norm(gradients, 2)).norm().item<double>() / divisor;
  if (!std::isfinite(norm)) return norm;
  const double clip = options_.clip_norm > 0 ? std::min(1.0, options_.clip_norm / (norm + 1e-6)) : 1.0;
  at::_foreach_mul_(gradients, clip / divisor);
  at::_foreach_add_(updates_, 1);
  for (const std::size_t i : matrices_) {
    muon_step(weights_[i], first_moments_[i], gradients[i], learning_rate, options_.weight_decay);
  }
  update(decaying_, gradients, learning_rate, options_.weight_decay);
  update(exempt_, gradients, learning_rate, 0);
  follow_masters();
  if (!averaged_.empty()) {
    const auto updates = updates_.front().item<double>();
    at::_foreach_lerp_(averaged_, weights_, 1 - warmed_up_decay(options_.ema_decay, updates));
  }
  return norm;
}

void Optimizer::update(const std::vector<std::size_t>& which, const std::vector<at::Tensor>& gradients,
                       double learning_rate, double weight_decay) {
  if (which.empty()) return;
  std::vector<at::Tensor> weights = some_of(weights_, which);
  std::vector<at::Tensor> first = some_of(first_moments_, which);
  std::vector<at::Tensor> second = some_of(second_moments_, which);
  at::_fused_adamw_(weights, some_of(gradients, which), first, second, {}, some_of(updates_, which), learning_rate,
                    options_.beta1, options_.beta2, weight_decay, options_.epsilon, false, false);
}

NamedTensors Optimizer::state() const {
  NamedTensors all;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    all.push_back({"weight/" + name, weights_[i]});
    all.push_back({"first_moment/" + name, first_moments_[i]});
    if (second_moments_[i].defined()) all.push_back({"second_moment/" + name, second_moments_[i]});
    if (!averaged_.empty()) all.push_back({"averaged/" + name, averaged_[i]});
    all.push_back({"updates/" + name, updates_[i]});
  }
  return all;
}

void Optimizer::follow_masters() {
  const c10::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (!weights_[i].is_alias_of(parameters_[i].tensor)) parameters_[i].tensor.copy_(weights_[i]);
  }
}

void Optimizer::exchange_averaged() {
  const c10::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < averaged_.size(); ++i) {
    const at::Tensor& weight = weights_[i];
    const at::Tensor before = weight.clone();
    weight.copy_(averaged_[i]);
    averaged_[i].copy_(before);
  }
  follow_masters();
}

}  // namespace unianimate::training
