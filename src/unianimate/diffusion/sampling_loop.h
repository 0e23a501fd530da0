// The one loop that all sampling goes through.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <span>

#include "unianimate/core/named_tensor.h"
#include "unianimate/diffusion/noise_process.h"
#include "unianimate/diffusion/sampler.h"
#include "unianimate/diffusion/shortcuts.h"
#include "unianimate/diffusion/trend.h"

namespace unianimate::diffusion {

/// Latents that are gone through at once where a whole clip is and no model says how many.
constexpr std::int64_t kLatentsAtOnce = 64;

/// A latent on its way from noise to clean, and all that is needed to go on with it.
struct SamplingState {
  at::Tensor x;             ///< (1, C, n, h, w), 32-bit floats; changed in place
  NamedTensors kept;        ///< the sampler's state_names(), each of x's shape, contiguous
  at::Tensor noise;         ///< room for the noise of a step, of x's shape, contiguous; undefined where none is drawn
  Trend clean;              ///< what the model took the clean latents to be; undefined where none is extrapolated
  at::Generator generator;  ///< what the sampler draws comes from it
  std::int64_t steps_done = 0;
};

/// Room for `sampler` beside the latent x.
SamplingState sampling_state(const Sampler& sampler, const at::Tensor& x, const at::Generator& generator);

/// Takes the model's output (1, C, count, h, w) for `count` frames from `first` on.
using TakeOutput = std::function<void(std::int64_t first, const at::Tensor& output)>;

/// Asks the model about the latent x at `level`, in step number `step`, and hands its output to `take`: every frame
/// once, in order. `take` changes x of those frames.
using Denoiser =
    std::function<void(const at::Tensor& x, const Level& level, std::int64_t step, const TakeOutput& take)>;

/// Looks on. Each does nothing by default.
class SamplingObserver {
 public:
  SamplingObserver() = default;
  virtual ~SamplingObserver() = default;
  SamplingObserver(const SamplingObserver&) = delete;
  SamplingObserver& operator=(const SamplingObserver&) = delete;

  /// Step number `step` (from 0) begins.
  virtual void step_begins(std::int64_t step) { (void)step; }
  /// What the model takes the clean latents of the next frames to be, all of them in order in each step.
  virtual void predicted(const at::Tensor& x0) { (void)x0; }
  /// Some of the state's tensors were gone through: where they lie in a file, their memory can be given back.
  virtual void touched() {}
  /// So many steps are done.
  virtual void step_ends(std::int64_t steps_done) { (void)steps_done; }
};

/// Takes the steps that are not done yet; in those of `work` without a conditional pass (empty: none) the clean latent
/// is extrapolated instead of asking `denoise`. What `denoise` and `observer` throw ends it in the middle of a step.
void run_sampler(const Sampler& sampler, const NoiseProcess& process, const Denoiser& denoise, SamplingState& state,
                 SamplingObserver& observer, std::span<const StepWork> work = {});

}  // namespace unianimate::diffusion
