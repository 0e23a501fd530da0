#include "unianimate/nn/ops/layer_norm.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

/// `added`, and with it the sum, may be undefined.
NormedSum normalised(const Ops& ops, const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight,
                     const at::Tensor& bias, double eps) {
  const c10::DeviceGuard device_guard(x.device());
  const at::Tensor dense = x.contiguous();
  const at::Tensor dense_added = added.defined() ? added.contiguous() : added;
  NormedSum result{added.defined() ? at::empty_like(dense) : at::Tensor(), at::empty_like(dense)};
  ops.layer_norm({.rows = x.numel() / x.size(-1),
                  .channels = x.size(-1),
                  .eps = eps,
                  .x = dense.data_ptr(),
                  .added = added.defined() ? dense_added.data_ptr() : nullptr,
                  .weight = weight.data_ptr(),
                  .bias = bias.data_ptr(),
                  .sum = added.defined() ? result.sum.data_ptr() : nullptr,
                  .out = result.normed.data_ptr()},
                 on_aten_threads);
  return result;
}

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  RECORD_USER_SCOPE("unianimate::layer_norm");
  const Ops& ops = ops_for(x, {weight, bias});
  if (ops.layer_norm == nullptr) return at::layer_norm(x, {x.size(-1)}, weight, bias, eps);
  return normalised(ops, x, {}, weight, bias, eps).normed;
}

NormedSum layer_norm_of_sum(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight,
                            const at::Tensor& bias, double eps) {
  RECORD_USER_SCOPE("unianimate::layer_norm");
  const Ops& ops = ops_for(x, {added, weight, bias});
  if (ops.layer_norm != nullptr) return normalised(ops, x, added, weight, bias, eps);
  const at::Tensor sum = x + added;
  return {sum, at::layer_norm(sum, {sum.size(-1)}, weight, bias, eps)};
}

}  // namespace unianimate::nn
