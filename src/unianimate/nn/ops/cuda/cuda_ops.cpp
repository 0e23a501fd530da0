// Puts the kernels into the table of operations when the library is loaded, which libtorch_cuda has to be before.
#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include "unianimate/nn/ops/cuda/cuda_kernels.h"
#include "unianimate/nn/ops/scan_states.h"

namespace unianimate::nn {

namespace {

constexpr auto kCuda = static_cast<KernelDevice>(at::kCUDA);

template <KernelElement kElement>
bool takes_attention(const AttentionProblem& problem) {
  return cuda_takes_attention(kElement, problem);
}

template <KernelElement kElement>
void attention(const AttentionProblem& problem, const ParallelFor& /*parallel_for*/) {
  C10_CUDA_CHECK(cuda_attention(kElement, problem, c10::cuda::getCurrentCUDAStream()));
}

template <KernelElement kElement>
void group_norm(const GroupNormProblem& problem, const ParallelFor& /*parallel_for*/) {
  // ATen gives it to nobody else before what is queued on this stream is done.
  const at::Tensor scratch =
      at::empty({cuda_group_norm_scratch_bytes(problem)}, at::TensorOptions(at::kByte).device(at::kCUDA));
  C10_CUDA_CHECK(cuda_group_norm(kElement, problem, scratch.data_ptr(), c10::cuda::getCurrentCUDAStream()));
}

template <KernelElement kElement>
void gated_gelu(const GatedGeluProblem& problem, const ParallelFor& /*parallel_for*/) {
  C10_CUDA_CHECK(cuda_gated_gelu(kElement, problem, c10::cuda::getCurrentCUDAStream()));
}

template <KernelElement kElement>
void layer_norm(const LayerNormProblem& problem, const ParallelFor& /*parallel_for*/) {
  C10_CUDA_CHECK(cuda_layer_norm(kElement, problem, c10::cuda::getCurrentCUDAStream()));
}

template <KernelElement kElement>
void residual(const ResidualProblem& problem, const ParallelFor& /*parallel_for*/) {
  C10_CUDA_CHECK(cuda_residual(kElement, problem, c10::cuda::getCurrentCUDAStream()));
}

template <KernelElement kElement>
void causal_convolution(const CausalConvolutionProblem& problem, const ParallelFor& /*parallel_for*/) {
  C10_CUDA_CHECK(cuda_causal_convolution(kElement, problem, c10::cuda::getCurrentCUDAStream()));
}

bool takes_selective_scan(const SelectiveScanProblem& problem) {
  return is_scan_of_kernels(problem.states);
}

template <KernelElement kElement>
void selective_scan(const SelectiveScanProblem& problem, const ParallelFor& /*parallel_for*/) {
  C10_CUDA_CHECK(cuda_selective_scan(kElement, problem, c10::cuda::getCurrentCUDAStream()));
}

template <KernelElement kElement>
void register_element() {
  register_ops(kCuda, kElement,
               {.takes_attention = takes_attention<kElement>,
                .attention = attention<kElement>,
                .group_norm = group_norm<kElement>,
                .gated_gelu = gated_gelu<kElement>,
                .layer_norm = layer_norm<kElement>,
                .residual = residual<kElement>,
                .causal_convolution = causal_convolution<kElement>,
                .takes_selective_scan = takes_selective_scan,
                .selective_scan = selective_scan<kElement>});
}

[[maybe_unused]] const bool kRegistered = [] {
  register_element<KernelElement::kFloat>();
  register_element<KernelElement::kBFloat16>();
  register_element<KernelElement::kHalf>();
  return true;
}();

}  // namespace

}  // namespace unianimate::nn
