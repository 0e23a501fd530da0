#pragma once

#include "unianimate/nn/ops/cuda/execution.h"

namespace unianimate::nn {

/// One thread for each pack of the result.
template <typename T, int kPack>
struct GatedGeluKernel {
  static constexpr int kThreads = 256;

  GatedGeluProblem problem;

  [[nodiscard]] std::int64_t blocks() const { return ceil_div(problem.rows * (problem.width / kPack), kThreads); }
  [[nodiscard]] std::size_t shared_bytes() const { return 0; }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    constexpr float kRootOfHalf = 0.70710678118654752F;
    const std::int64_t packs = problem.width / kPack;
    const std::int64_t index = execution.block() * kThreads + execution.thread();
    if (index >= problem.rows * packs) return;
    const std::int64_t row = index / packs;
    const std::int64_t column = index % packs * kPack;
    const T* in = static_cast<const T*>(problem.in) + row * 2 * problem.width + column;
    const auto value = execution.template load<Pack<T, kPack>>(in);
    const auto gate = execution.template load<Pack<T, kPack>>(in + problem.width);
    Pack<T, kPack> out;
    for (int i = 0; i < kPack; ++i) {
      const float x = execution.to_float(gate.elements[i]);
      const float gelu = 0.5F * x * erfcf(-x * kRootOfHalf);
      out.elements[i] = execution.template from_float<T>(execution.to_float(value.elements[i]) * gelu);
    }
    execution.store(static_cast<T*>(problem.out) + row * problem.width + column, out);
  }
};

/// launch(kernel) for what the problem needs.
template <typename T, typename Launch>
void launch_gated_gelu(const GatedGeluProblem& problem, Launch&& launch) {
  if (problem.width % kPackOf<T> == 0 && is_aligned(problem.in) && is_aligned(problem.out)) {
    launch(GatedGeluKernel<T, kPackOf<T>>{problem});
  } else {
    launch(GatedGeluKernel<T, 1>{problem});
  }
}

}  // namespace unianimate::nn
