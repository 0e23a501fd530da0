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

}  // namespace

at::Tensor one_dnn_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  // The library exports no symbol for it, so it is looked up by its operator name.
  static const auto kOperator =
      c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_linear_pointwise", "").typed<OneDnnLinear>();
  return kOperator.call(x, weight, optional_of(bias), "none", Scalars(), std::nullopt);
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  RECORD_USER_SCOPE("unianimate::linear");
  const Ops& ops = ops_for(x, {weight, bias});
  return ops.linear != nullptr ? ops.linear(x, weight, bias) : at::linear(x, weight, optional_of(bias));
}

}  // namespace unianimate::nn
