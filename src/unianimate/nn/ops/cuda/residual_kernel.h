#pragma once

#include "unianimate/nn/ops/cuda/execution.h"

namespace unianimate::nn {

/// One thread for each pack.
template <typename T, int kPack>
struct ResidualKernel {
  static constexpr int kThreads = 256;

  ResidualProblem problem;

  [[nodiscard]] std::int64_t blocks() const { return ceil_div(problem.rows * (problem.channels / kPack), kThreads); }
  [[nodiscard]] std::size_t shared_bytes() const { return 0; }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    const std::int64_t packs = problem.channels / kPack;
    const std::int64_t index = execution.block() * kThreads + execution.thread();
    if (index >= problem.rows * packs) return;
    const auto pack_of = [&](const void* data, std::int64_t pack) {
      return execution.template load<Pack<T, kPack>>(static_cast<const T*>(data) + pack * kPack);
    };
    const auto x = pack_of(problem.x, index);
    const auto bias = pack_of(problem.bias, index % packs);
    const auto residual = pack_of(problem.residual, index);
    Pack<T, kPack> out;
    for (int i = 0; i < kPack; ++i) {
      const float biased = execution.to_float(x.elements[i]) + execution.to_float(bias.elements[i]);
      out.elements[i] = execution.template from_float<T>(biased + execution.to_float(residual.elements[i]));
    }
    execution.store(static_cast<T*>(problem.out) + index * kPack, out);
  }
};

/// launch(kernel) for what the problem needs.
template <typename T, typename Launch>
void launch_residual(const ResidualProblem& problem, Launch&& launch) {
  if (problem.channels % kPackOf<T> == 0 && is_aligned(problem.x) && is_aligned(problem.bias) &&
      is_aligned(problem.residual) && is_aligned(problem.out)) {
    launch(ResidualKernel<T, kPackOf<T>>{problem});
  } else {
    launch(ResidualKernel<T, 1>{problem});
  }
}

}  // namespace unianimate::nn
