#include "unianimate/nn/ops/cuda/cuda_kernels.h"
#include "unianimate/nn/ops/cuda/device_execution.h"
#include "unianimate/nn/ops/cuda/selective_scan_kernel.h"

namespace unianimate::nn {

cudaError_t cuda_selective_scan(KernelElement element, const SelectiveScanProblem& problem, cudaStream_t stream) {
  DeviceLauncher launcher{stream};
  with_element(element, [&](auto zero) { launch_selective_scan<decltype(zero)>(problem, launcher); });
  return launcher.status;
}

}  // namespace unianimate::nn
