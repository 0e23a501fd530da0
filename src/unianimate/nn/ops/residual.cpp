#include "unianimate/nn/ops/residual.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

bool leaves_bias(const at::Tensor& x, std::initializer_list<at::Tensor> parameters) {
  return ops_for(x, parameters).residual != nullptr;
}

at::Tensor add_residual(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual) {
  RECORD_USER_SCOPE("unianimate::add_residual");
  if (!bias.defined()) return x + residual;
  const Ops& ops = ops_for(x, {bias, residual});
  if (ops.residual == nullptr) return x + bias + residual;
  const c10::DeviceGuard device_guard(x.device());
  const at::Tensor out = x.contiguous();
  const at::Tensor dense_residual = residual.contiguous();
  ops.residual({.rows = out.numel() / out.size(-1),
                .channels = out.size(-1),
                .x = out.data_ptr(),
                .bias = bias.data_ptr(),
                .residual = dense_residual.data_ptr(),
                .out = out.data_ptr()},
               on_aten_threads);
  return out;
}

}  // namespace unianimate::nn
