// One step's predictions for a clip of any length: context windows and guidance around the model.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/diffusion/context_windows.h"
#include "unianimate/diffusion/sampling_loop.h"
#include "unianimate/diffusion/shortcuts.h"
#include "unianimate/diffusion/trend.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/family.h"

namespace unianimate::pipeline {

/// The windows of a request, which counts frames, in a family's latents.
diffusion::ContextWindowOptions latent_windows(diffusion::ContextWindowOptions windows,
                                               const family::ClipGeometry& geometry);

/// What a step with the windows of step number `step` asks of the model in each of its passes, for a clip of so many
/// latents.
struct StepWindows {
  std::int64_t windows = 0;
  std::int64_t batches = 0;
};
StepWindows step_windows(std::int64_t latents, const diffusion::ContextWindowOptions& windows, std::int64_t step);

/// What a predictor remembers from step to step.
struct PredictorMemory {
  diffusion::Trend difference;  ///< what the conditions change; undefined where it is worked out whenever it is needed
  bool deep_features = false;   ///< of every pass
  bool carry_state = false;     ///< from window to window of a step; nothing of it outlasts the step
};

/// Takes the windows of a step one batch after the other and hands latents out as soon as no window to come covers
/// them, so that its memory does not grow with the length of the clip.
///
/// Several processes take turns: a pass of one batch of windows, with conditions or without, is one process's; what
/// they predict is summed, so that every process hands out the same latents. Deep features stay with the process that
/// computed them.
class ClipPredictor {
 public:
  /// Bytes of what it sums up, for windows of `window` of which so many go through the model at once.
  static std::int64_t bytes_kept(const family::ClipShape& window, std::int64_t channels, std::int64_t at_once);

  /// All must outlive this, and are for one clip. `windows`: in latents, one at a time where a state is carried, which
  /// one process does alone.
  ClipPredictor(family::ClipModel& model, const diffusion::ContextWindowOptions& windows, PredictorMemory memory,
                distributed::ProcessGroup& group, Progress& progress);

  /// diffusion::guided() of the model's outputs with and without conditions, each the weighted mean over the windows
  /// that cover a latent, as `work` of a step of the sampler has it. x: (1, C, n, h, w) in 32-bit floats, always on
  /// one device, as what is handed out. Every latent is handed to `take` once, in order; `take` may overwrite x of
  /// those. Nothing is read back from a device, so that it may be steps behind.
  /// Every pass of a batch of windows through the model is a step of the progress, counted over all predictions from
  /// calls_done on; between them it may cancel.
  void predict(const at::Tensor& x, double time, const diffusion::StepWork& work, const diffusion::TakeOutput& take);

  /// Passes that predict() has counted so far, of all processes; may be set where some were made before.
  std::int64_t calls_done = 0;

 private:
  /// A batch of windows, with conditions or without.
  struct Pass {
    std::vector<diffusion::ContextWindow> windows;
    std::int64_t batch = 0;  ///< number of the batch
    bool conditional = true;
    std::int64_t next = 0;  ///< latents after which the next window begins; 0: there is none
  };
  /// Weighted sums of the predictions of latents from `first` on.
  struct Sums {
    std::int64_t first = 0;
    at::Tensor conditional;    ///< (1, C, n, h, w)
    at::Tensor unconditional;  ///< the same; undefined in steps without unconditional passes
    at::Tensor weights;        ///< (n, 1, 1), of the conditional ones

    [[nodiscard]] std::int64_t end() const { return first + weights.size(0); }
  };

  [[nodiscard]] std::vector<Pass> passes(std::int64_t frames, const diffusion::StepWork& work) const;
  [[nodiscard]] std::int64_t owner(const Pass& pass) const;
  static Sums zero_sums(const at::Tensor& x, std::int64_t first, std::int64_t end, bool unconditional);
  static void grow(Sums& sums, const at::Tensor& x, std::int64_t end);
  void add_shared(Sums& sums, const at::Tensor& x, double time, std::span<const Pass> round);
  void add(Sums& sums, const at::Tensor& x, double time, const Pass& pass);
  void take_until(Sums& sums, std::int64_t end, const diffusion::StepWork& work,
                  const diffusion::TakeOutput& take) const;

  family::ClipModel& model_;
  diffusion::ContextWindowOptions windows_;
  PredictorMemory memory_;
  at::Tensor weights_;  ///< (n, 1, 1), of the latents of a window; sent to the device once
  std::map<std::pair<std::int64_t, bool>, at::Tensor> features_;  ///< by Pass::batch, Pass::conditional
  std::map<bool, family::WindowCarry> carried_;                   ///< by Pass::conditional, of the step
  distributed::ProcessGroup& group_;
  Progress& progress_;
};

}  // namespace unianimate::pipeline
