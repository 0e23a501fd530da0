#include "unianimate/nn/fast_path.h"

#include <c10/core/GradMode.h>

#include <algorithm>

namespace unianimate::nn {

bool needs_gradient(std::initializer_list<at::Tensor> tensors) {
  return at::GradMode::is_enabled() &&
         std::ranges::any_of(tensors, [](const at::Tensor& x) { return x.defined() && x.requires_grad(); });
}

bool cpu_has_avx512(bool bf16) {
  static const bool kAvx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  static const bool kBf16 = kAvx512 && __builtin_cpu_supports("avx512bf16");
  return bf16 ? kBf16 : kAvx512;
}

bool suits_cpu_kernels(const at::Tensor& x) {
  return x.is_cpu() && x.numel() > 0 && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

}  // namespace unianimate::nn
