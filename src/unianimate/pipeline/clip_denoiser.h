// One step's v prediction for a clip of any length: context windows and guidance around the UNet.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/diffusion/context_windows.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::pipeline {

/// What the whole clip is conditioned on; absent conditions are undefined.
struct ClipConditions {
  at::Tensor empty_prompt;      ///< (1, 77, context_dim); never absent
  at::Tensor image;             ///< (1, 1, context_dim)
  at::Tensor poses;             ///< uint8 (F, H, W, 3)
  at::Tensor reference_pose;    ///< uint8 (H, W, 3); present where poses are
  at::Tensor reference_latent;  ///< (1, 4, h, w), for randomref
  at::Tensor local_image;       ///< uint8 (H, W, 3)
};

/// Encodes the conditions of every window once, and what all windows share only once, then predicts v as often as
/// asked.
class ClipDenoiser {
 public:
  /// `unet` and `progress` must outlive this. `shape.batch` is 1.
  ClipDenoiser(const models::UNet& unet, const ClipConditions& conditions, const models::LatentShape& shape,
               const diffusion::ContextWindowOptions& windows, double guidance_scale, Progress& progress);

  /// v_u + guidance_scale·(v_c − v_u), each the mean over the windows that cover a frame; v_c alone for scale 1.
  /// x (1, 4, F, h, w) in 32-bit floats -> the same. Every call of the UNet is one step of the progress, counted over
  /// all predictions; between them it may cancel.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, std::int64_t timestep);

 private:
  /// Windows that go through the UNet in one batch.
  struct WindowBatch {
    std::vector<at::Tensor> frames;  ///< indices of each window's frames, on the latent's device
    models::EncodedConditions conditions;
  };

  /// Sum over windows of the predictions of each frame.
  [[nodiscard]] at::Tensor summed_prediction(const at::Tensor& x, std::int64_t timestep, bool conditional);

  const models::UNet& unet_;
  Progress& progress_;
  double guidance_scale_;
  std::vector<WindowBatch> batches_;
  models::EncodedConditions unconditional_;  ///< for the largest batch; empty without guidance
  at::Tensor windows_per_frame_;             ///< (F, 1, 1): how many windows cover each frame
  std::int64_t unet_calls_done_ = 0;
};

}  // namespace unianimate::pipeline
