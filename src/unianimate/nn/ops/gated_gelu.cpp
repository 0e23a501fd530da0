#include "unianimate/nn/ops/gated_gelu.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

at::Tensor run_kernel(const Ops& ops, const at::Tensor& x) {
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

/// By the kernels, which want no tensors but x for the gradient, once.
class DifferentiableGatedGelu : public torch::autograd::Function<DifferentiableGatedGelu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    const at::Tensor dense = x.contiguous();
    context->save_for_backward({dense});
    return run_kernel(ops_with_gradients_for(x), dense);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    RECORD_USER_SCOPE("unianimate::gated_gelu_gradients");
    const at::Tensor x = context->get_saved_variables()[0];
    const c10::DeviceGuard device_guard(x.device());
    const at::Tensor of_out = gradients[0].contiguous();
    const at::Tensor of_x = at::empty_like(x);
    const std::int64_t width = x.size(-1) / 2;
    ops_with_gradients_for(x).gated_gelu_gradients(
        {.forward = {.rows = x.numel() / x.size(-1), .width = width, .in = x.data_ptr(), .out = nullptr},
         .of_out = of_out.data_ptr(),
         .of_in = of_x.data_ptr()},
        on_aten_threads);
    return {of_x};
  }
};

}  // namespace

at::Tensor gated_gelu(const at::Tensor& x) {
  RECORD_USER_SCOPE("unianimate::gated_gelu");
  if (needs_gradient({x}) && ops_with_gradients_for(x).gated_gelu_gradients != nullptr) {
    return DifferentiableGatedGelu::apply(x);
  }
  const Ops& ops = ops_for(x);
  if (ops.gated_gelu != nullptr) return run_kernel(ops, x);
  const std::vector<at::Tensor> halves = x.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

}  // namespace unianimate::nn
