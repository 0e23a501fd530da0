#include "unianimate/nn/attention.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <optional>
#include <vector>

#include "unianimate/nn/attention_kernel.h"
#include "unianimate/nn/fast_path.h"

namespace unianimate::nn {

namespace {

AttentionOperand operand(const at::Tensor& x) {
  return {x.data_ptr(), x.stride(0), x.stride(1), x.stride(2)};
}

/// How the own kernel sees these operands; none where ATen has to do it.
std::optional<KernelElement> kernel_element(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  if (!suits_cpu_kernels(q) || k.numel() == 0 || needs_gradient({q, k, v})) return std::nullopt;
  if (q.stride(3) != 1 || k.stride(3) != 1 || v.stride(3) != 1) return std::nullopt;
  const bool bf16 = q.scalar_type() == at::kBFloat16;
  if (!cpu_has_avx512(bf16) || !attention_kernel_takes(q.size(3))) return std::nullopt;
  return bf16 ? KernelElement::kBFloat16 : KernelElement::kFloat;
}

void run_kernel(KernelElement element, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                const at::Tensor& out) {
  const AttentionProblem problem{
      q.size(0),  q.size(1),  k.size(1),  q.size(2),   q.size(3), 1.0F / std::sqrt(static_cast<float>(q.size(3))),
      operand(q), operand(k), operand(v), operand(out)};
  at::parallel_for(0, attention_task_count(problem), 1,
                   [&](std::int64_t first, std::int64_t last) { attention_run_tasks(problem, element, first, last); });
}

at::Tensor aten_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
  const auto heads_first = [](const at::Tensor& x) { return x.transpose(1, 2); };
  return at::scaled_dot_product_attention(heads_first(q), heads_first(k), heads_first(v), {}, 0.0, causal)
      .transpose(1, 2);
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
  const std::optional<KernelElement> element = causal ? std::nullopt : kernel_element(q, k, v);
  if (!element) return aten_attention(q, k, v, causal);
  at::Tensor out = at::empty(q.sizes(), q.options());
  run_kernel(*element, q, k, v, out);
  return out;
}

at::Tensor frame_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  at::Tensor out = at::empty(q.sizes(), q.options());
  std::vector<at::Tensor> clips;
  for (std::int64_t b = 0; b < q.size(0); ++b) {
    const auto pixels_first = [&](const at::Tensor& x) { return x[b].transpose(0, 1); };
    const std::optional<KernelElement> element = kernel_element(pixels_first(q), pixels_first(k), pixels_first(v));
    if (element) {
      run_kernel(*element, pixels_first(q), pixels_first(k), pixels_first(v), pixels_first(out));
    } else {
      clips.push_back(aten_attention(pixels_first(q), pixels_first(k), pixels_first(v), false).transpose(0, 1));
    }
  }
  return clips.empty() ? out : at::stack(clips);
}

}  // namespace unianimate::nn
