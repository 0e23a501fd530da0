// Gradients of operations, for tests.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>

#include <string>
#include <vector>

#include "support/rule.h"

namespace unianimate::nn {

/// Of Σ out · weights by every leaf.
inline std::vector<at::Tensor> gradients_of(const at::Tensor& out, const std::vector<at::Tensor>& leaves) {
  const at::Tensor weights = testing::rule_input("weights", out.sizes()).to(out.options());
  return torch::autograd::grad({(out * weights).sum()}, leaves);
}

/// Whether a kernel, and not ATen, will make the gradients of the operation that made this.
inline bool has_gradients_by_kernel(const at::Tensor& out) {
  return out.grad_fn() != nullptr && out.grad_fn()->name().find("Differentiable") != std::string::npos;
}

inline at::Tensor as_leaf(const at::Tensor& x) {
  return x.detach().clone().requires_grad_();
}

}  // namespace unianimate::nn
