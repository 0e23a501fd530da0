#include "unianimate/nn/ops/cuda/cuda_kernels.h"
#include "unianimate/nn/ops/cuda/device_execution.h"
#include "unianimate/nn/ops/cuda/gated_gelu_kernel.h"

namespace unianimate::nn {

cudaError_t cuda_gated_gelu(KernelElement element, const GatedGeluProblem& problem, cudaStream_t stream) {
  DeviceLauncher launcher{stream};
  with_element(element, [&](auto zero) { launch_gated_gelu<decltype(zero)>(problem, launcher); });
  return launcher.status;
}

}  // namespace unianimate::nn
