#pragma once

#include "unianimate/nn/ops/cuda/execution.h"

namespace unianimate::nn {

/// One thread for each element of the result.
template <typename T>
struct CausalConvolutionKernel {
  static constexpr int kThreads = 256;

  CausalConvolutionProblem problem;

  [[nodiscard]] std::int64_t blocks() const {
    return ceil_div(problem.batch * problem.length * problem.pixels * problem.channels, kThreads);
  }
  [[nodiscard]] std::size_t shared_bytes() const { return 0; }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    const CausalConvolutionProblem& p = problem;
    const std::int64_t index = execution.block() * kThreads + execution.thread();
    if (index >= p.batch * p.length * p.pixels * p.channels) return;
    const std::int64_t channel = index % p.channels;
    const std::int64_t pixel = index / p.channels % p.pixels;
    const std::int64_t time = index / p.channels / p.pixels % p.length;
    const std::int64_t batch = index / p.channels / p.pixels / p.length;
    const T* const x = static_cast<const T*>(p.x.data) + batch * p.x.batch + pixel * p.x.pixel + channel;
    float sum = p.bias[channel];
    for (int tap = 0; tap < kCausalTaps; ++tap) {
      const std::int64_t back = kCausalTaps - 1 - tap;
      const std::int64_t seen = p.reversed ? time + back : time - back;
      if (seen < -p.history || seen >= p.length) continue;
      const auto element = execution.template load<Pack<T, 1>>(x + seen * p.x.time);
      sum += p.weight[tap * p.channels + channel] * execution.to_float(element.elements[0]);
    }
    const float y = sum / (1.0F + expf(-sum));
    execution.store(static_cast<T*>(p.out) + index, Pack<T, 1>{{execution.template from_float<T>(y)}});
  }
};

template <typename T, typename Launch>
void launch_causal_convolution(const CausalConvolutionProblem& problem, Launch&& launch) {
  launch(CausalConvolutionKernel<T>{problem});
}

}  // namespace unianimate::nn
