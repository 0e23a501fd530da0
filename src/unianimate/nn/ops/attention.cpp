#include "unianimate/nn/ops/attention.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>

#include <cmath>
#include <optional>
#include <vector>

#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

AttentionOperand operand(const at::Tensor& x) {
  return {x.data_ptr(), x.stride(0), x.stride(1), x.stride(2)};
}

/// What a kernel has to do, but for where to; none where ATen has to do it.
std::optional<AttentionProblem> kernel_problem(const Ops& ops, const at::Tensor& q, const at::Tensor& k,
                                               const at::Tensor& v) {
  if (ops.attention == nullptr || k.numel() == 0) return std::nullopt;
  if (q.stride(3) != 1 || k.stride(3) != 1 || v.stride(3) != 1) return std::nullopt;
  const AttentionProblem problem{
      q.size(0),  q.size(1),  k.size(1),  q.size(2), q.size(3), 1.0F / std::sqrt(static_cast<float>(q.size(3))),
      operand(q), operand(k), operand(v), {}};
  return ops.takes_attention(problem) ? std::optional(problem) : std::nullopt;
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
  const Ops& ops = ops_for(q, {k, v});
  at::Tensor out = at::empty(q.sizes(), q.options());
  std::vector<at::Tensor> clips;
  for (std::int64_t b = 0; b < q.size(0); ++b) {
    const auto pixels_first = [&](const at::Tensor& x) { return x[b].transpose(0, 1); };
    const auto problem = kernel_problem(ops, pixels_first(q), pixels_first(k), pixels_first(v));
    if (problem) {
      run_kernel(ops, *problem, pixels_first(out));
    } else {
      clips.push_back(aten_attention(pixels_first(q), pixels_first(k), pixels_first(v), false).transpose(0, 1));
    }
  }
  return clips.empty() ? out : at::stack(clips);
}

}  // namespace unianimate::nn
