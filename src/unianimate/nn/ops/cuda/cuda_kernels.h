// Kernels queued on a stream of the current card. Each returns the status of the first launch that failed.
#pragma once

#include <cuda_runtime_api.h>

#include "unianimate/nn/ops/kernels.h"

namespace unianimate::nn {

/// Up to 64 queries and keys, heads of up to 128 elements, as far as they fit a block's memory.
bool cuda_takes_attention(KernelElement element, const AttentionProblem& problem);
cudaError_t cuda_attention(KernelElement element, const AttentionProblem& problem, cudaStream_t stream);

std::int64_t cuda_group_norm_scratch_bytes(const GroupNormProblem& problem);
/// `scratch`: cuda_group_norm_scratch_bytes() of the card's memory. Statistics are taken in double from 32-bit sums.
cudaError_t cuda_group_norm(KernelElement element, const GroupNormProblem& problem, void* scratch, cudaStream_t stream);

cudaError_t cuda_gated_gelu(KernelElement element, const GatedGeluProblem& problem, cudaStream_t stream);
cudaError_t cuda_layer_norm(KernelElement element, const LayerNormProblem& problem, cudaStream_t stream);
cudaError_t cuda_residual(KernelElement element, const ResidualProblem& problem, cudaStream_t stream);
cudaError_t cuda_causal_convolution(KernelElement element, const CausalConvolutionProblem& problem,
                                    cudaStream_t stream);
/// Of so many states as is_scan_of_kernels().
cudaError_t cuda_selective_scan(KernelElement element, const SelectiveScanProblem& problem, cudaStream_t stream);

}  // namespace unianimate::nn
