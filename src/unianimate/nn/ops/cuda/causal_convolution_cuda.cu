#include "unianimate/nn/ops/cuda/causal_convolution_kernel.h"
#include "unianimate/nn/ops/cuda/cuda_kernels.h"
#include "unianimate/nn/ops/cuda/device_execution.h"

namespace unianimate::nn {

cudaError_t cuda_causal_convolution(KernelElement element, const CausalConvolutionProblem& problem,
                                    cudaStream_t stream) {
  DeviceLauncher launcher{stream};
  with_element(element, [&](auto zero) { launch_causal_convolution<decltype(zero)>(problem, launcher); });
  return launcher.status;
}

}  // namespace unianimate::nn
