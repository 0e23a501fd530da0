// Mamba along the frames of every pixel (Gu and Dao, arXiv 2312.00752), in one direction or, as in Vision Mamba
// (Zhu et al., arXiv 2401.09417), in both.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "unianimate/nn/layers.h"
#include "unianimate/nn/ops/kernels.h"

namespace unianimate::models {

/// What the forward direction knows of the tokens before the next one.
struct MambaState {
  at::Tensor inputs;  ///< (B, nn::kCausalTaps - 1, P, E) of its convolution; undefined: zeros
  at::Tensor states;  ///< (B, P, N, E); undefined: zeros
};

/// Where tokens are a part of a longer sequence. The first token, the reference, lies before all parts and is there
/// in each of them.
struct MambaHandover {
  MambaState start;  ///< undefined: the sequence begins here, with the reference
  std::int64_t keep_after =
      0;            ///< so many tokens, the reference not counted, after which the next part begins; 0: none
  MambaState kept;  ///< is put here for it
};

/// Gated selective state space. Names: in_proj, conv1d, x_proj, dt_proj, A_log, D, out_proj; with both directions also
/// conv1d_b, x_proj_b, dt_proj_b, A_b_log, D_b, which see the sequence from its end; what both make is added up before
/// out_proj. A_log and D have 32 bits at least.
class Mamba : public nn::Module {
 public:
  enum class Directions { kForward, kBoth };

  Mamba(std::int64_t dim, std::int64_t d_state, std::int64_t expand, Directions directions,
        const at::TensorOptions& options);

  /// Rows of dt_proj's weight: the width that the steps pass through.
  static std::int64_t dt_rank(std::int64_t dim) { return (dim + 15) / 16; }

  /// Every pixel by itself, time first to last: (B, L, P, C) -> (B, L, P, C). A handover is for inference only.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, MambaHandover* handover = nullptr) const;

 private:
  struct Direction {
    at::Tensor conv_weight;
    at::Tensor conv_bias;
    at::Tensor step_bias;
    at::Tensor a_log;
    at::Tensor skip;
    std::unique_ptr<nn::Linear> x_proj;
    std::unique_ptr<nn::Linear> dt_proj;  ///< without its bias, which the scan adds
  };
  [[nodiscard]] Direction make_direction(const std::string& suffix, const at::TensorOptions& options);
  [[nodiscard]] at::Tensor of_pixels(const at::Tensor& x, MambaHandover* handover) const;
  [[nodiscard]] at::Tensor forward(const at::Tensor& value, const at::Tensor& gate, MambaHandover* handover) const;
  [[nodiscard]] at::Tensor scan(const Direction& direction, const at::Tensor& value, const at::Tensor& gate,
                                bool reversed, MambaHandover* handover) const;

  std::int64_t inner_;
  std::int64_t dt_rank_;
  std::int64_t d_state_;
  nn::Linear in_proj_;
  nn::Linear out_proj_;
  std::vector<Direction> directions_;
};

}  // namespace unianimate::models
