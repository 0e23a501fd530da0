#include "unianimate/training/muon.h"

#include <algorithm>
#include <cmath>

namespace unianimate::training {

namespace {

constexpr double kMomentum = 0.95;
constexpr std::int64_t kFewestChannels = 16;

/// (out, in · kh · kw)
at::Tensor as_matrix(const at::Tensor& parameter) {
  return parameter.reshape({parameter.size(0), -1});
}

}  // namespace

bool is_updated_by_muon(std::string_view name, const at::Tensor& parameter) {
  return !name.ends_with("positional_embedding") && parameter.dim() >= 2 &&
         std::min(parameter.size(0), parameter.size(1)) >= kFewestChannels;
}

at::Tensor orthogonalized(const at::Tensor& matrix) {
  constexpr double kA = 3.4445;
  constexpr double kB = -4.7750;
  constexpr double kC = 2.0315;
  constexpr int kSteps = 5;
  constexpr double kTiny = 1e-7;
  const bool upright = matrix.size(0) > matrix.size(1);
  at::Tensor x = upright ? matrix.t() : matrix;
  x = x / x.norm().clamp_min(kTiny);
  const auto polynomial_of = [](const at::Tensor& square) {
    at::Tensor polynomial = at::addmm(square, square, square, kB, kC);
    polynomial.diagonal().add_(kA);
    return polynomial;
  };
  at::Tensor square = x.mm(x.t());
  if (2 * x.size(1) < 3 * x.size(0)) {
    for (int i = 0; i < kSteps; ++i) {
      if (i > 0) square = x.mm(x.t());
      x = polynomial_of(square).mm(x);
    }
  } else {
    // All polynomials are of the first x xᵀ, which is so much smaller that they are multiplied with each other first.
    at::Tensor product;
    for (int i = 0; i < kSteps; ++i) {
      const at::Tensor polynomial = polynomial_of(square);
      product = product.defined() ? polynomial.mm(product) : polynomial;
      if (i + 1 < kSteps) square = polynomial.mm(square).mm(polynomial);
    }
    x = product.mm(x);
  }
  return upright ? x.t() : x;
}

void muon_step(at::Tensor& weight, at::Tensor& momentum, const at::Tensor& gradient, double learning_rate,
               double weight_decay) {
  momentum.lerp_(gradient, 1 - kMomentum);
  const at::Tensor update = orthogonalized(as_matrix(gradient.lerp(momentum, kMomentum)));
  const auto longer_side = static_cast<double>(std::max(update.size(0), update.size(1)));
  weight.mul_(1 - learning_rate * weight_decay);
  weight.sub_(update.reshape(weight.sizes()), 0.2 * learning_rate * std::sqrt(longer_side));
}

}  // namespace unianimate::training
