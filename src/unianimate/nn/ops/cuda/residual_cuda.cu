#include "unianimate/nn/ops/cuda/cuda_kernels.h"
#include "unianimate/nn/ops/cuda/device_execution.h"
#include "unianimate/nn/ops/cuda/residual_kernel.h"

namespace unianimate::nn {

cudaError_t cuda_residual(KernelElement element, const ResidualProblem& problem, cudaStream_t stream) {
  DeviceLauncher launcher{stream};
  with_element(element, [&](auto zero) { launch_residual<decltype(zero)>(problem, launcher); });
  return launcher.status;
}

}  // namespace unianimate::nn
