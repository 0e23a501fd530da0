#include "unianimate/nn/ops/cuda/attention_kernel.h"
#include "unianimate/nn/ops/cuda/cuda_kernels.h"
#include "unianimate/nn/ops/cuda/device_execution.h"

namespace unianimate::nn {

bool cuda_takes_attention(KernelElement element, const AttentionProblem& problem) {
  return takes_short_attention(problem, element == KernelElement::kFloat ? sizeof(float) : sizeof(Half));
}

cudaError_t cuda_attention(KernelElement element, const AttentionProblem& problem, cudaStream_t stream) {
  DeviceLauncher launcher{stream};
  with_element(element, [&](auto zero) { launch_attention<decltype(zero)>(problem, launcher); });
  return launcher.status;
}

}  // namespace unianimate::nn
