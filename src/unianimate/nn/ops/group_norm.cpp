#include "unianimate/nn/ops/group_norm.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

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

GroupNormProblem problem_of(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                            double eps, bool silu) {
  return {.batch = x.size(0),
          .rows = x.numel() / x.size(0) / x.size(-1),
          .channels = x.size(-1),
          .groups = groups,
          .eps = eps,
          .silu = silu,
          .x = x.data_ptr(),
          .weight = weight.data_ptr(),
          .bias = bias.data_ptr(),
          .out = nullptr};
}

at::Tensor run_kernel(const Ops& ops, const at::Tensor& x, std::int64_t groups, const at::Tensor& weight,
                      const at::Tensor& bias, double eps, bool silu, const at::Tensor& shift) {
  const c10::DeviceGuard device_guard(x.device());
  const at::Tensor dense = x.contiguous();
  const at::Tensor dense_shift = shift.defined() ? shift.contiguous() : shift;
  at::Tensor out = at::empty_like(dense);
  GroupNormProblem problem = problem_of(dense, groups, weight, bias, eps, silu);
  problem.out = out.data_ptr();
  if (shift.defined()) {
    problem.shift = dense_shift.data_ptr();
    problem.images_per_shift = x.size(0) / shift.size(0);
  }
  ops.group_norm(problem, on_aten_threads);
  return out;
}

/// By the kernels, which want no tensors but x for the gradients, once.
class DifferentiableGroupNorm : public torch::autograd::Function<DifferentiableGroupNorm> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, std::int64_t groups, double eps, bool silu) {
    const at::Tensor dense = x.contiguous();
    context->save_for_backward({dense, weight, bias});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["silu"] = silu;
    return run_kernel(ops_with_gradients_for(x), dense, groups, weight, bias, eps, silu, {});
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    RECORD_USER_SCOPE("unianimate::group_norm_gradients");
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const c10::DeviceGuard device_guard(x.device());
    const at::Tensor of_out = gradients[0].contiguous();
    const at::Tensor of_x = at::empty_like(x);
    const at::Tensor of_parameters = at::empty({2, x.size(-1)}, x.options().dtype(at::kFloat));
    auto* of_weight = of_parameters.data_ptr<float>();
    ops_with_gradients_for(x).group_norm_gradients(
        {.forward = problem_of(x, context->saved_data["groups"].toInt(), saved[1], saved[2],
                               context->saved_data["eps"].toDouble(), context->saved_data["silu"].toBool()),
         .of_out = of_out.data_ptr(),
         .of_x = of_x.data_ptr(),
         .of_weight = of_weight,
         .of_bias = of_weight + x.size(-1)},
        on_aten_threads);
    const at::Tensor in_format = of_parameters.to(saved[1].scalar_type());
    return {of_x, in_format[0], in_format[1], {}, {}, {}};
  }
};

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
  if (needs_gradient({x, weight, bias})) {
    return ops_with_gradients_for(x).group_norm_gradients != nullptr
               ? DifferentiableGroupNorm::apply(x, weight, bias, groups, eps, silu)
               : differentiable(x, groups, weight, bias, eps, silu);
  }
  if (ops.group_norm != nullptr) return run_kernel(ops, x, groups, weight, bias, eps, silu, shift);
  const at::Tensor rows = x.reshape({x.size(0), -1, 1, x.size(-1)}).permute({0, 3, 1, 2});
  const at::Tensor normed =
      at::group_norm(rows, groups, weight, bias, eps).permute({0, 2, 3, 1}).contiguous().view(x.sizes());
  return silu ? at::silu(normed) : normed;
}

}  // namespace unianimate::nn
