#include "unianimate/nn/ops/gated_gelu.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>

#include <vector>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

at::Tensor gated_gelu(const at::Tensor& x) {
  RECORD_USER_SCOPE("unianimate::gated_gelu");
  const Ops& ops = ops_for(x);
  if (ops.gated_gelu != nullptr) {
    const c10::DeviceGuard device_guard(x.device());
    const at::Tensor dense = x.contiguous();
    std::vector<std::int64_t> sizes = x.sizes().vec();
    sizes.back() /= 2;
    at::Tensor out = at::empty(sizes, x.options());
    ops.gated_gelu(
        {.rows = out.numel() / sizes.back(), .width = sizes.back(), .in = dense.data_ptr(), .out = out.data_ptr()},
        on_aten_threads);
    return out;
  }
  const std::vector<at::Tensor> halves = x.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

}  // namespace unianimate::nn
