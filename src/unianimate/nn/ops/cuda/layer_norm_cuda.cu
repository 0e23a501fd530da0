#include "unianimate/nn/ops/cuda/cuda_kernels.h"
#include "unianimate/nn/ops/cuda/device_execution.h"
#include "unianimate/nn/ops/cuda/layer_norm_kernel.h"

namespace unianimate::nn {

cudaError_t cuda_layer_norm(KernelElement element, const LayerNormProblem& problem, cudaStream_t stream) {
  DeviceLauncher launcher{stream};
  with_element(element, [&](auto zero) { launch_layer_norm<decltype(zero)>(problem, launcher); });
  return launcher.status;
}

}  // namespace unianimate::nn
