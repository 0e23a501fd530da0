// The unit that Inception networks are made of.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "unianimate/nn/module.h"

namespace unianimate::evaluation {

/// A convolution without bias over two or three axes, batch normalisation by stored statistics (eps 1e-3) and ReLU.
/// Parameters: `name`.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var.
class ConvNorm : public nn::Module {
 public:
  struct Shape {
    std::vector<std::int64_t> kernel;  ///< as many as there are axes
    std::vector<std::int64_t> stride;
    std::vector<std::int64_t> padding;  ///< zeros on both sides of each axis
  };
  ConvNorm(const std::string& name, std::int64_t in, std::int64_t out, Shape shape);

  /// (N, in, …) -> (N, out, …)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

  [[nodiscard]] const Shape& shape() const { return shape_; }

 private:
  Shape shape_;
  at::Tensor convolution_;
  at::Tensor weight_;
  at::Tensor bias_;
  at::Tensor mean_;
  at::Tensor variance_;
};

}  // namespace unianimate::evaluation
