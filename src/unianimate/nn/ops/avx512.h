// Kernels for processors with AVX-512 (f, bw, vl, dq), in sources that are compiled for them; those that multiply bf16
// need avx512bf16 too. Only ops.cpp names them, after it has asked the processor.
#pragma once

#include "unianimate/nn/ops/kernels.h"

namespace unianimate::nn {

/// Heads of 32 to 256 elements in steps of 32, or short attention.
bool avx512_takes_attention(const AttentionProblem& problem);
void avx512_attention_fp32(const AttentionProblem& problem, const ParallelFor& parallel_for);
void avx512_attention_bf16(const AttentionProblem& problem, const ParallelFor& parallel_for);
/// The same with every element made a float first, which needs no instructions for bf16.
void avx512_attention_bf16_widened(const AttentionProblem& problem, const ParallelFor& parallel_for);

/// Attention of up to 64 queries and keys with heads of up to 256 elements, as along frames: all in floats, the scores
/// of a head at once.
bool avx512_takes_short_attention(const AttentionProblem& problem);
void avx512_short_attention_fp32(const AttentionProblem& problem, const ParallelFor& parallel_for);
void avx512_short_attention_bf16(const AttentionProblem& problem, const ParallelFor& parallel_for);
void avx512_short_attention_gradients_fp32(const AttentionGradientsProblem& problem, const ParallelFor& parallel_for);
void avx512_short_attention_gradients_bf16(const AttentionGradientsProblem& problem, const ParallelFor& parallel_for);

/// Statistics are taken in double from 32-bit partial sums.
void avx512_group_norm_fp32(const GroupNormProblem& problem, const ParallelFor& parallel_for);
void avx512_group_norm_bf16(const GroupNormProblem& problem, const ParallelFor& parallel_for);

void avx512_group_norm_gradients_fp32(const GroupNormGradientsProblem& problem, const ParallelFor& parallel_for);
void avx512_group_norm_gradients_bf16(const GroupNormGradientsProblem& problem, const ParallelFor& parallel_for);

void avx512_gated_gelu_fp32(const GatedGeluProblem& problem, const ParallelFor& parallel_for);
void avx512_gated_gelu_bf16(const GatedGeluProblem& problem, const ParallelFor& parallel_for);
void avx512_gated_gelu_gradients_fp32(const GatedGeluGradientsProblem& problem, const ParallelFor& parallel_for);
void avx512_gated_gelu_gradients_bf16(const GatedGeluGradientsProblem& problem, const ParallelFor& parallel_for);

/// In 32 bits, each row's mean and then its variance.
void avx512_layer_norm_fp32(const LayerNormProblem& problem, const ParallelFor& parallel_for);
void avx512_layer_norm_bf16(const LayerNormProblem& problem, const ParallelFor& parallel_for);

void avx512_causal_convolution_fp32(const CausalConvolutionProblem& problem, const ParallelFor& parallel_for);
void avx512_causal_convolution_bf16(const CausalConvolutionProblem& problem, const ParallelFor& parallel_for);

/// 4, 8 or 16 states. For the gradients each thread keeps all states of 16 channels of a pixel, 3.3 kB a step where
/// there are 16 of them.
bool avx512_takes_selective_scan(const SelectiveScanProblem& problem);
void avx512_selective_scan_fp32(const SelectiveScanProblem& problem, const ParallelFor& parallel_for);
void avx512_selective_scan_bf16(const SelectiveScanProblem& problem, const ParallelFor& parallel_for);
void avx512_selective_scan_gradients_fp32(const SelectiveScanGradientsProblem& problem,
                                          const ParallelFor& parallel_for);
void avx512_selective_scan_gradients_bf16(const SelectiveScanGradientsProblem& problem,
                                          const ParallelFor& parallel_for);

void avx512_value_range_fp32(ValueRange& problem, const ParallelFor& parallel_for);
void avx512_value_range_bf16(ValueRange& problem, const ParallelFor& parallel_for);
void avx512_quantize_fp32(const QuantizeProblem& problem, const ParallelFor& parallel_for);
void avx512_quantize_bf16(const QuantizeProblem& problem, const ParallelFor& parallel_for);

}  // namespace unianimate::nn
