#pragma once

#include "unianimate/nn/ops/cuda/execution.h"
#include "unianimate/nn/ops/scan_states.h"

namespace unianimate::nn {

/// One thread for each channel of each pixel, whose states stay in registers while time goes by. Threads side by side
/// have channels side by side, and read the same b and c.
template <typename T, int kStates>
struct SelectiveScanKernel {
  static constexpr int kThreads = 128;

  SelectiveScanProblem problem;

  [[nodiscard]] std::int64_t blocks() const {
    return ceil_div(problem.batch * problem.pixels * problem.channels, kThreads);
  }
  [[nodiscard]] std::size_t shared_bytes() const { return 0; }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    const SelectiveScanProblem& p = problem;
    const std::int64_t index = execution.block() * kThreads + execution.thread();
    if (index >= p.batch * p.pixels * p.channels) return;
    const std::int64_t channel = index % p.channels;
    const std::int64_t pixel = index / p.channels % p.pixels;
    const std::int64_t batch = index / p.channels / p.pixels;
    const auto number = [&](const SequenceOperand& operand, std::int64_t time, std::int64_t element) {
      const T* const at = static_cast<const T*>(operand.data) + batch * operand.batch + time * operand.time +
                          pixel * operand.pixel + element;
      return execution.to_float(execution.template load<Pack<T, 1>>(at).elements[0]);
    };
    const std::int64_t states_at = (batch * p.pixels + pixel) * kStates * p.channels + channel;
    float a[kStates];
    float h[kStates];
    for (int n = 0; n < kStates; ++n) {
      a[n] = p.a[n * p.channels + channel];
      h[n] = p.start == nullptr ? 0.0F : p.start[states_at + n * p.channels];
    }
    const float step_bias = p.step_bias[channel];
    const float skip = p.skip[channel];
    for (std::int64_t i = 0; i < p.length; ++i) {
      const std::int64_t time = p.reversed ? p.length - 1 - i : i;
      const float step = number(p.step, time, channel) + step_bias;
      const float d = fmaxf(step, 0.0F) + log1pf(expf(-fabsf(step)));
      const float x = number(p.x, time, channel);
      const float scaled = d * x;
      float y = skip * x;
      for (int n = 0; n < kStates; ++n) {
        h[n] = expf(d * a[n]) * h[n] + scaled * number(p.b, time, n);
        y += h[n] * number(p.c, time, n);
      }
      if (p.gate.data != nullptr) {
        const float gate = number(p.gate, time, channel);
        y *= gate / (1.0F + expf(-gate));
      }
      T* const out = static_cast<T*>(p.out) + ((batch * p.length + time) * p.pixels + pixel) * p.channels + channel;
      execution.store(out, Pack<T, 1>{{execution.template from_float<T>(y)}});
      if (p.kept == nullptr || i + 1 != p.keep_after) continue;
      for (int n = 0; n < kStates; ++n) p.kept[states_at + n * p.channels] = h[n];
    }
  }
};

/// launch(kernel) for a problem that is_scan_of_kernels().
template <typename T, typename Launch>
void launch_selective_scan(const SelectiveScanProblem& problem, Launch&& launch) {
  with_scan_states(problem.states,
                   [&](auto states) { launch(SelectiveScanKernel<T, decltype(states)::value>{problem}); });
}

}  // namespace unianimate::nn
