// LayerNorm, of a sum where something is added, in one kernel.
#pragma once

#include "unianimate/nn/ops/cuda/execution.h"

namespace unianimate::nn {

/// A warp for each row, which it goes through three times: for the sum and its mean, for the variance, for the result.
/// What it read or wrote itself is still in the cache then. Of a sum a thread reads only what it wrote.
template <typename T, int kPack>
struct LayerNormKernel {
  static constexpr int kThreads = 128;

  LayerNormProblem problem;

  [[nodiscard]] std::int64_t blocks() const { return ceil_div(problem.rows, kThreads / kWarp); }
  [[nodiscard]] std::size_t shared_bytes() const { return 0; }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    const std::int64_t row = execution.block() * (kThreads / kWarp) + execution.thread() / kWarp;
    if (row >= problem.rows) return;
    const T* const x = static_cast<const T*>(problem.x) + row * problem.channels;
    const bool is_sum = problem.added != nullptr;
    T* const sum = static_cast<T*>(problem.sum) + (is_sum ? row * problem.channels : 0);
    const T* const values = is_sum ? sum : x;
    const auto channels = static_cast<float>(problem.channels);

    float total = 0;
    for_packs(execution, [&](std::int64_t channel) {
      auto both = execution.template load<Pack<T, kPack>>(x + channel);
      if (is_sum) {
        const T* const added = static_cast<const T*>(problem.added) + row * problem.channels;
        const auto other = execution.template load<Pack<T, kPack>>(added + channel);
        for (int i = 0; i < kPack; ++i) {
          both.elements[i] = execution.template from_float<T>(execution.to_float(both.elements[i]) +
                                                              execution.to_float(other.elements[i]));
        }
        execution.store(sum + channel, both);
      }
      for (int i = 0; i < kPack; ++i) total += execution.to_float(both.elements[i]);
    });
    const float mean = warp_sum(execution, total) / channels;

    float squares = 0;
    for_packs(execution, [&](std::int64_t channel) {
      const auto both = execution.template load<Pack<T, kPack>>(values + channel);
      for (int i = 0; i < kPack; ++i) {
        const float difference = execution.to_float(both.elements[i]) - mean;
        squares += difference * difference;
      }
    });
    const float variance = warp_sum(execution, squares) / channels;
    const float scale = 1.0F / sqrtf(variance + static_cast<float>(problem.eps));

    T* const out = static_cast<T*>(problem.out) + row * problem.channels;
    for_packs(execution, [&](std::int64_t channel) {
      const auto both = execution.template load<Pack<T, kPack>>(values + channel);
      const auto weight = execution.template load<Pack<T, kPack>>(static_cast<const T*>(problem.weight) + channel);
      const auto bias = execution.template load<Pack<T, kPack>>(static_cast<const T*>(problem.bias) + channel);
      Pack<T, kPack> normed;
      for (int i = 0; i < kPack; ++i) {
        const float y = (execution.to_float(both.elements[i]) - mean) * scale;
        normed.elements[i] = execution.template from_float<T>(y * execution.to_float(weight.elements[i]) +
                                                              execution.to_float(bias.elements[i]));
      }
      execution.store(out + channel, normed);
    });
  }

 private:
  /// body(channel) for the packs of this thread.
  template <typename Execution, typename Body>
  UNIANIMATE_KERNEL void for_packs(Execution& execution, const Body& body) const {
    for (std::int64_t channel = execution.thread() % kWarp * kPack; channel < problem.channels;
         channel += kWarp * kPack) {
      body(channel);
    }
  }
};

/// launch(kernel) for what the problem needs.
template <typename T, typename Launch>
void launch_layer_norm(const LayerNormProblem& problem, Launch&& launch) {
  bool in_packs = problem.channels % kPackOf<T> == 0;
  for (const void* data : {problem.x, problem.added, problem.weight, problem.bias,
                           static_cast<const void*>(problem.sum), static_cast<const void*>(problem.out)}) {
    in_packs = in_packs && is_aligned(data);
  }
  if (in_packs) {
    launch(LayerNormKernel<T, kPackOf<T>>{problem});
  } else {
    launch(LayerNormKernel<T, 1>{problem});
  }
}

}  // namespace unianimate::nn
