// The Fréchet distance between two sets of features, behind FID and FVD.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace unianimate::evaluation {

/// Mean and covariance of features that come in parts and are not kept.
class FeatureStatistics {
 public:
  /// (N, D); D as in the first part.
  void add(const at::Tensor& features);

  [[nodiscard]] std::int64_t count() const { return count_; }
  /// (D), double. Of one or more.
  [[nodiscard]] at::Tensor mean() const;
  /// (D, D), double, over count − 1 as numpy.cov. Of two or more.
  [[nodiscard]] at::Tensor covariance() const;

 private:
  std::int64_t count_ = 0;
  at::Tensor origin_;    ///< the first; sums are of differences to it, so that large means cost no digits
  at::Tensor sum_;       ///< (D)
  at::Tensor products_;  ///< (D, D)
};

/// |m₁ − m₂|² + tr(C₁ + C₂ − 2 √(C₁C₂)), Dowson and Landau, 1982. The trace of the root comes from the eigenvalues of
/// √C₁ C₂ √C₁, so that covariances without full rank, as of fewer samples than features, need no correction.
double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b);

}  // namespace unianimate::evaluation
