// Operations that ATen does in several passes over memory, in one; for CPUs with AVX-512.
#pragma once

#include <cstdint>
#include <functional>

#include "unianimate/nn/kernel_element.h"

namespace unianimate::nn {

/// Runs body(first, last) for ranges that cover 0 … count-1, on as many threads as the caller likes.
using ParallelFor =
    std::function<void(std::int64_t count, const std::function<void(std::int64_t first, std::int64_t last)>& body)>;

/// GroupNorm, then SiLU where asked for, on (batch, rows, channels) with dense channels last. Statistics are taken over
/// the rows and the channels of a group, in double from 32-bit partial sums. `weight`, `bias`: (channels).
struct GroupNormProblem {
  std::int64_t batch;
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t groups;
  double eps;
  bool silu;
  const void* x;
  const void* weight;
  const void* bias;
  void* out;  ///< like x
};
void group_norm_kernel(const GroupNormProblem& problem, KernelElement element, const ParallelFor& parallel_for);

/// out = value · GELU(gate), GELU exact, for rows of (value, gate): in (rows, 2·width) -> out (rows, width).
void gated_gelu_kernel(const void* in, void* out, std::int64_t rows, std::int64_t width, KernelElement element,
                       const ParallelFor& parallel_for);

}  // namespace unianimate::nn
