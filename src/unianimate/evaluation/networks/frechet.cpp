#include "unianimate/evaluation/networks/frechet.h"

#include <tuple>

namespace unianimate::evaluation {

namespace {

/// Of a matrix that is symmetric and has no eigenvalue below 0 but by rounding.
at::Tensor symmetric_root(const at::Tensor& matrix) {
  const auto [values, vectors] = at::linalg_eigh(matrix);
  return at::matmul(vectors * values.clamp_min(0).sqrt(), vectors.t());
}

}  // namespace

void FeatureStatistics::add(const at::Tensor& features) {
  const at::Tensor values = features.to(at::kCPU, at::kDouble);
  if (count_ == 0 && values.size(0) > 0) {
    origin_ = values[0].clone();
    sum_ = at::zeros_like(origin_);
    products_ = at::zeros({origin_.size(0), origin_.size(0)}, origin_.options());
  }
  if (values.size(0) == 0) return;
  const at::Tensor moved = values - origin_;
  sum_ += moved.sum(0);
  products_.addmm_(moved.t(), moved);
  count_ += values.size(0);
}

at::Tensor FeatureStatistics::mean() const {
  return origin_ + sum_ / count_;
}

at::Tensor FeatureStatistics::covariance() const {
  return (products_ - at::outer(sum_, sum_) / count_) / (count_ - 1);
}

double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b) {
  const at::Tensor of_a = a.covariance();
  const at::Tensor of_b = b.covariance();
  const at::Tensor root = symmetric_root(of_a);
  const at::Tensor product = at::matmul(at::matmul(root, of_b), root);
  const at::Tensor values = at::linalg_eigvalsh((product + product.t()) / 2);
  const double mixed = values.clamp_min(0).sqrt().sum().item<double>();
  const double means = (a.mean() - b.mean()).square().sum().item<double>();
  return means + of_a.trace().item<double>() + of_b.trace().item<double>() - 2 * mixed;
}

}  // namespace unianimate::evaluation
