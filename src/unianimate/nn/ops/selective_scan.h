// The selective scan of Mamba (Gu and Dao, arXiv 2312.00752) along the frames of every pixel.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace unianimate::nn {

/// B sequences of L steps at each of P pixels, E channels with N states each. Last axes are dense.
struct SelectiveScan {
  at::Tensor x;           ///< (B, L, P, E)
  at::Tensor step;        ///< (B, L, P, E) before its bias and softplus
  at::Tensor b;           ///< (B, L, P, N)
  at::Tensor c;           ///< (B, L, P, N)
  at::Tensor gate;        ///< (B, L, P, E); undefined: none
  at::Tensor step_bias;   ///< (E)
  at::Tensor a;           ///< (E, N), none above zero
  at::Tensor skip;        ///< (E)
  bool reversed = false;  ///< time runs from the last to the first
};

/// Where a sequence is one part of a longer one.
struct ScanHandover {
  at::Tensor start;             ///< (B, P, N, E) the states before the first step; undefined: zero
  std::int64_t keep_after = 0;  ///< after so many steps, 1 … L, …
  at::Tensor kept;              ///< … the states are put here
};

/// With d = softplus(step + step_bias): h_t = exp(d a) h_{t−1} + d b_t x_t, then (Σ c_t h_t + skip x_t) · SiLU(gate_t),
/// in 32 bits at least: (B, L, P, E) in the format of x. With a handover there are no gradients.
/// Where there is no kernel, ATen computes for so many pixels at once that they have at most `states_at_once` states
/// (0: what fits the caches of a processor), but for one at least; results do not depend on it.
at::Tensor selective_scan(const SelectiveScan& scan, ScanHandover* handover = nullptr, std::int64_t states_at_once = 0);

}  // namespace unianimate::nn
