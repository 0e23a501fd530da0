#include "unianimate/nn/linear_kernel.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>

#include "unianimate/nn/fast_path.h"

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

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const std::optional<at::Tensor> optional_bias = bias.defined() ? std::optional(bias) : std::nullopt;
  // oneDNN computes bf16 only where the processor has AVX-512.
  const bool one_dnn_takes_it = x.scalar_type() == at::kFloat || cpu_has_avx512(false);
  if (one_dnn_takes_it && suits_cpu_kernels(x) && !needs_gradient({x, weight, bias})) {
    return one_dnn_linear(x, weight, optional_bias);
  }
  return at::linear(x, weight, optional_bias);
}

}  // namespace unianimate::nn
