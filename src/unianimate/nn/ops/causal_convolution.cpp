#include "unianimate/nn/ops/causal_convolution.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

constexpr std::int64_t kBefore = kCausalTaps - 1;

at::Tensor aten_causal_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                   bool reversed) {
  const std::int64_t length = x.size(1) - kBefore;
  at::Tensor y = bias;
  for (std::int64_t tap = 0; tap < kCausalTaps; ++tap) {
    const std::int64_t first = reversed ? kBefore - tap : tap;
    y = y + x.narrow(1, first, length) * weight.select(2, tap).squeeze(1);
  }
  return at::silu(y);
}

/// Steps before the first in the direction that time runs in.
at::Tensor with_history(const at::Tensor& x, const at::Tensor& before, bool reversed) {
  if (before.defined()) return at::cat({before, x}, 1);
  const at::Tensor zeros = at::zeros({x.size(0), kBefore, x.size(2), x.size(3)}, x.options());
  return reversed ? at::cat({x, zeros}, 1) : at::cat({zeros, x}, 1);
}

}  // namespace

at::Tensor causal_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool reversed,
                              const at::Tensor& before) {
  RECORD_USER_SCOPE("unianimate::causal_convolution");
  const Ops& ops = ops_for(x, {weight, bias, before});
  if (ops.causal_convolution == nullptr || x.stride(3) != 1) {
    return aten_causal_convolution(with_history(x, before, reversed), weight, bias, reversed);
  }
  const c10::DeviceGuard device_guard(x.device());
  const at::Tensor whole = before.defined() ? with_history(x, before, reversed) : x;
  const at::Tensor seen = before.defined() ? whole.narrow(1, kBefore, x.size(1)) : whole;
  const at::Tensor wide_weight = weight.squeeze(1).t().to(at::kFloat).contiguous();
  const at::Tensor wide_bias = bias.to(at::kFloat);
  at::Tensor out = at::empty(x.sizes(), x.options());
  ops.causal_convolution({.batch = x.size(0),
                          .length = x.size(1),
                          .pixels = x.size(2),
                          .channels = x.size(3),
                          .reversed = reversed,
                          .history = before.defined() ? kBefore : 0,
                          .x = {seen.data_ptr(), seen.stride(0), seen.stride(1), seen.stride(2)},
                          .weight = static_cast<const float*>(wide_weight.data_ptr()),
                          .bias = static_cast<const float*>(wide_bias.data_ptr()),
                          .out = out.data_ptr()},
                         on_aten_threads);
  return out;
}

}  // namespace unianimate::nn
