// One step's v predictions for a clip of any length: context windows and guidance around the UNet.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/diffusion/context_windows.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/unianimate/window_conditions.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::pipeline {

/// Takes the windows of a step one batch after the other and hands frames out as soon as no window to come covers them,
/// so that its memory does not grow with the length of the clip.
///
/// Several processes take turns: a pass of one batch of windows, with conditions or without, is one process's; what
/// they predict is summed, so that every process hands out the same frames.
class ClipPredictor {
 public:
  /// All must outlive this, and are for clips of one length. `guidance_scale` 1: no unconditional predictions.
  ClipPredictor(const models::UNet& unet, family::WindowConditions& conditions, diffusion::ContextWindowOptions windows,
                double guidance_scale, distributed::ProcessGroup& group, Progress& progress);

  /// The v prediction (1, 4, count, h, w) of `count` frames from `first` on, in 32-bit floats on the CPU.
  using TakeFrames = std::function<void(std::int64_t first, const at::Tensor& v)>;

  /// v_u + guidance_scale·(v_c − v_u), each the weighted mean over the windows that cover a frame, for step number
  /// `step` of the sampler. x: (1, 4, F, h, w) in 32-bit floats on the CPU. Every frame is handed to `take` once, in
  /// order; `take` may overwrite x of those frames. Every pass of a batch of windows through the UNet is a step of the
  /// progress, counted over all predictions from `calls_before` on; between them it may cancel.
  void predict(const at::Tensor& x, std::int64_t timestep, std::int64_t step, const TakeFrames& take);

  /// Passes that predict() has counted so far, of all processes; may be set where some were made before.
  std::int64_t calls_done = 0;

 private:
  /// A batch of windows, with conditions or without.
  struct Pass {
    std::vector<diffusion::ContextWindow> windows;
    bool conditional = true;
  };
  /// Weighted sums of the predictions of frames from `first` on.
  struct Sums {
    std::int64_t first = 0;
    at::Tensor conditional;    ///< (1, 4, n, h, w)
    at::Tensor unconditional;  ///< the same; undefined without guidance
    at::Tensor weights;        ///< (n, 1, 1), of the conditional ones

    [[nodiscard]] std::int64_t end() const { return first + weights.size(0); }
  };

  [[nodiscard]] std::vector<Pass> passes(std::int64_t frames, std::int64_t step) const;
  [[nodiscard]] Sums zero_sums(const at::Tensor& x, std::int64_t first, std::int64_t end) const;
  void grow(Sums& sums, const at::Tensor& x, std::int64_t end) const;
  void add(Sums& sums, const at::Tensor& x, std::int64_t timestep, const Pass& pass);
  void take_until(Sums& sums, std::int64_t end, const TakeFrames& take) const;

  const models::UNet& unet_;
  family::WindowConditions& conditions_;
  diffusion::ContextWindowOptions windows_;
  double guidance_scale_;
  distributed::ProcessGroup& group_;
  Progress& progress_;
};

}  // namespace unianimate::pipeline
