#include "unianimate/nn/ops/cuda/cuda_kernels.h"
#include "unianimate/nn/ops/cuda/device_execution.h"
#include "unianimate/nn/ops/cuda/group_norm_kernel.h"

namespace unianimate::nn {

std::int64_t cuda_group_norm_scratch_bytes(const GroupNormProblem& problem) {
  return group_norm_scratch_bytes(problem);
}

cudaError_t cuda_group_norm(KernelElement element, const GroupNormProblem& problem, void* scratch,
                            cudaStream_t stream) {
  DeviceLauncher launcher{stream};
  with_element(element, [&](auto zero) { launch_group_norm<decltype(zero)>(problem, scratch, launcher); });
  return launcher.status;
}

}  // namespace unianimate::nn
