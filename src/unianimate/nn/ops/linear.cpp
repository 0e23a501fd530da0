#include "unianimate/nn/ops/linear.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>

#include <optional>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using OneDnnLinear = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                c10::string_view, Scalars, std::optional<c10::string_view>);
using OneDnnLinearPlus = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                    const std::optional<at::Tensor>&, c10::string_view);

/// The library exports no symbols for them, so they are looked up by their operator names.
template <typename Signature>
c10::TypedOperatorHandle<Signature> find_linear(const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_linear_pointwise", overload).typed<Signature>();
}

}  // namespace

at::Tensor one_dnn_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          const at::Tensor& residual) {
  static const auto kLinear = find_linear<OneDnnLinear>("");
  static const auto kLinearPlus = find_linear<OneDnnLinearPlus>("binary");
  if (residual.defined()) return kLinearPlus.call(x, residual, weight, optional_of(bias), "add");
  return kLinear.call(x, weight, optional_of(bias), "none", Scalars(), std::nullopt);
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& residual) {
  RECORD_USER_SCOPE("unianimate::linear");
  const Ops& ops = ops_for(x, {weight, bias, residual});
  if (ops.linear != nullptr) return ops.linear(x, weight, bias, residual);
  const at::Tensor y = at::linear(x, weight, optional_of(bias));
  return residual.defined() ? y + residual : y;
}

}  // namespace unianimate::nn
