#include "unianimate/nn/linear_kernel.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>

namespace unianimate::nn {

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using OneDnnLinear = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                c10::string_view, Scalars, std::optional<c10::string_view>);

/// oneDNN's linear layer; the library exports no symbol for it, so it is looked up by its operator name.
at::Tensor one_dnn_linear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
  static const auto kOperator =
      c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_linear_pointwise", "").typed<OneDnnLinear>();
  return kOperator.call(x, weight, bias, "none", Scalars(), std::nullopt);
}

bool needs_gradient(const at::Tensor& x, const at::Tensor& weight) {
  return at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad());
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const std::optional<at::Tensor> optional_bias = bias.defined() ? std::optional(bias) : std::nullopt;
  const bool dtype_fits = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
  if (x.is_cpu() && dtype_fits && x.numel() > 0 && !needs_gradient(x, weight)) {
    return one_dnn_linear(x, weight, optional_bias);
  }
  return at::linear(x, weight, optional_bias);
}

}  // namespace unianimate::nn
