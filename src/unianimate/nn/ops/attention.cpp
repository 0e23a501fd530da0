#include "unianimate/nn/ops/attention.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <optional>
#include <vector>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

AttentionOperand operand(const at::Tensor& x) {
  return {x.data_ptr(), x.stride(0), x.stride(1), x.stride(2)};
}

/// But for where to; none where a kernel cannot address it.
std::optional<AttentionProblem> problem_of(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  if (k.numel() == 0 || q.stride(3) != 1 || k.stride(3) != 1 || v.stride(3) != 1) return std::nullopt;
  return AttentionProblem{
      q.size(0),  q.size(1),  k.size(1),  q.size(2), q.size(3), 1.0F / std::sqrt(static_cast<float>(q.size(3))),
      operand(q), operand(k), operand(v), {}};
}

/// None where ATen has to do it.
std::optional<AttentionProblem> kernel_problem(const Ops& ops, const at::Tensor& q, const at::Tensor& k,
                                               const at::Tensor& v) {
  const std::optional<AttentionProblem> problem = ops.attention == nullptr ? std::nullopt : problem_of(q, k, v);
  return problem && ops.takes_attention(*problem) ? problem : std::nullopt;
}

bool has_kernel_with_gradients(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const Ops& ops = ops_with_gradients_for(q);
  if (ops.attention_gradients == nullptr) return false;
  const std::optional<AttentionProblem> problem = problem_of(q, k, v);
  return problem && ops.takes_attention_gradients(*problem) && ops.takes_attention(*problem);
}

void run_kernel(const Ops& ops, AttentionProblem problem, const at::Tensor& out) {
  const c10::DeviceGuard device_guard(out.device());
  problem.out = operand(out);
  ops.attention(problem, on_aten_threads);
}

at::Tensor aten_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
  const auto heads_first = [](const at::Tensor& x) { return x.transpose(1, 2); };
  return at::scaled_dot_product_attention(heads_first(q), heads_first(k), heads_first(v), {}, 0.0, causal)
      .transpose(1, 2);
}

at::Tensor pixels_first(const at::Tensor& x, std::int64_t clip) {
  return x[clip].transpose(0, 1);
}

/// Every clip by a kernel where there is one for it, else by ATen.
at::Tensor attend_along_frames(const Ops& ops, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  at::Tensor out = at::empty(q.sizes(), q.options());
  std::vector<at::Tensor> clips;
  for (std::int64_t b = 0; b < q.size(0); ++b) {
    const auto clip = [&](const at::Tensor& x) { return pixels_first(x, b); };
    const auto problem = kernel_problem(ops, clip(q), clip(k), clip(v));
    if (problem) {
      run_kernel(ops, *problem, clip(out));
    } else {
      clips.push_back(aten_attention(clip(q), clip(k), clip(v), false).transpose(0, 1));
    }
  }
  return clips.empty() ? out : at::stack(clips);
}

/// By the kernels, which want nothing but q, k and v for the gradients, once.
class DifferentiableFrameAttention : public torch::autograd::Function<DifferentiableFrameAttention> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v) {
    context->save_for_backward({q, k, v});
    return attend_along_frames(ops_with_gradients_for(q), q, k, v);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    RECORD_USER_SCOPE("unianimate::frame_attention_gradients");
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const c10::DeviceGuard device_guard(saved[0].device());
    const at::Tensor of_out = gradients[0].contiguous();
    torch::autograd::variable_list all;
    for (const at::Tensor& x : saved) all.push_back(at::empty(x.sizes(), x.options()));
    for (std::int64_t b = 0; b < of_out.size(0); ++b) {
      const auto clip = [&](const at::Tensor& x) { return pixels_first(x, b); };
      ops_with_gradients_for(saved[0]).attention_gradients(
          {*problem_of(clip(saved[0]), clip(saved[1]), clip(saved[2])), operand(clip(of_out)), operand(clip(all[0])),
           operand(clip(all[1])), operand(clip(all[2]))},
          on_aten_threads);
    }
    return all;
  }
};

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
  RECORD_USER_SCOPE("unianimate::attention");
  const Ops& ops = ops_for(q, {k, v});
  const std::optional<AttentionProblem> problem = causal ? std::nullopt : kernel_problem(ops, q, k, v);
  if (!problem) return aten_attention(q, k, v, causal);
  at::Tensor out = at::empty(q.sizes(), q.options());
  run_kernel(ops, *problem, out);
  return out;
}

at::Tensor frame_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  RECORD_USER_SCOPE("unianimate::frame_attention");
  if (needs_gradient({q, k, v}) && q.numel() > 0 &&
      has_kernel_with_gradients(pixels_first(q, 0), pixels_first(k, 0), pixels_first(v, 0))) {
    return DifferentiableFrameAttention::apply(q, k, v);
  }
  return attend_along_frames(ops_for(q, {k, v}), q, k, v);
}

}  // namespace unianimate::nn
