#include "unianimate/nn/ops/layer_norm.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

NormedSum layer_norm_of_sum(const at::Tensor& x, const at::Tensor& added, const at::Tensor& weight,
                            const at::Tensor& bias, double eps) {
  RECORD_USER_SCOPE("unianimate::layer_norm");
  const Ops& ops = ops_for(x, {added, weight, bias});
  if (ops.layer_norm == nullptr) {
    const at::Tensor sum = x + added;
    return {sum, at::layer_norm(sum, {sum.size(-1)}, weight, bias, eps)};
  }
  const c10::DeviceGuard device_guard(x.device());
  const at::Tensor dense = x.contiguous();
  const at::Tensor dense_added = added.contiguous();
  NormedSum result{at::empty_like(dense), at::empty_like(dense)};
  ops.layer_norm({.rows = x.numel() / x.size(-1),
                  .channels = x.size(-1),
                  .eps = eps,
                  .x = dense.data_ptr(),
                  .added = dense_added.data_ptr(),
                  .weight = weight.data_ptr(),
                  .bias = bias.data_ptr(),
                  .sum = result.sum.data_ptr(),
                  .out = result.normed.data_ptr()},
                 on_aten_threads);
  return result;
}

}  // namespace unianimate::nn
