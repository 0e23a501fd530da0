#include "unianimate/nn/ops/group_norm.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>

#include <vector>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

at::Tensor differentiable(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                          double eps, bool silu) {
  // ATen's backward pass reads out of bounds on channels-last inputs (2.11), so it gets channels second here.
  const at::Tensor channels_second = x.flatten(1, -2).transpose(1, 2).contiguous();
  const at::Tensor normed = at::group_norm(channels_second, groups, weight, bias, eps).transpose(1, 2);
  return (silu ? at::silu(normed) : normed).contiguous().view(x.sizes());
}

at::Tensor shifted(const at::Tensor& x, const at::Tensor& shift) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(x.dim()) + 1, 1);
  sizes.front() = shift.size(0);
  sizes.back() = shift.size(1);
  return (x.unflatten(0, {shift.size(0), -1}) + shift.view(sizes)).flatten(0, 1);
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                      double eps, bool silu, const at::Tensor& shift) {
  const Ops& ops = ops_for(x, {weight, bias, shift});
  // Kernels that know the ends of residual branches take a shift.
  if (shift.defined() && ops.residual == nullptr) {
    return group_norm(shifted(x, shift), groups, weight, bias, eps, silu);
  }
  RECORD_USER_SCOPE("unianimate::group_norm");
  if (needs_gradient({x, weight, bias})) return differentiable(x, groups, weight, bias, eps, silu);
  if (ops.group_norm != nullptr) {
    const c10::DeviceGuard device_guard(x.device());
    const at::Tensor dense = x.contiguous();
    const at::Tensor dense_shift = shift.defined() ? shift.contiguous() : shift;
    at::Tensor out = at::empty_like(dense);
    ops.group_norm({.batch = x.size(0),
                    .rows = x.numel() / x.size(0) / x.size(-1),
                    .channels = x.size(-1),
                    .groups = groups,
                    .eps = eps,
                    .silu = silu,
                    .x = dense.data_ptr(),
                    .weight = weight.data_ptr(),
                    .bias = bias.data_ptr(),
                    .out = out.data_ptr(),
                    .shift = shift.defined() ? dense_shift.data_ptr() : nullptr,
                    .images_per_shift = shift.defined() ? x.size(0) / shift.size(0) : 1},
                   on_aten_threads);
    return out;
  }
  const at::Tensor rows = x.reshape({x.size(0), -1, 1, x.size(-1)}).permute({0, 3, 1, 2});
  const at::Tensor normed =
      at::group_norm(rows, groups, weight, bias, eps).permute({0, 2, 3, 1}).contiguous().view(x.sizes());
  return silu ? at::silu(normed) : normed;
}

}  // namespace unianimate::nn
