#include "unianimate/pipeline/clip_denoiser.h"

#include <algorithm>

#include "unianimate/pipeline/pictures.h"

namespace unianimate::pipeline {

namespace {

/// Pictures (F, H, W, 3) as the UNet takes them: (1, 3, F, H, W) in [0, 1], a view.
at::Tensor as_clip(const at::Tensor& bytes) {
  return unit_range(bytes).permute({3, 0, 1, 2}).unsqueeze(0);
}

/// The conditions of one window, batch 1.
models::UNetConditions window_conditions(const ClipConditions& clip, const at::Tensor& frames) {
  models::UNetConditions window;
  window.image = clip.image;
  if (clip.poses.defined()) {
    const at::Tensor poses = clip.poses.index_select(0, frames.cpu());
    window.dwpose = as_clip(at::cat({clip.reference_pose.unsqueeze(0), poses}));
  }
  if (clip.reference_latent.defined()) window.randomref = clip.reference_latent.unsqueeze(2);
  if (clip.local_image.defined()) {
    window.local_image = as_clip(clip.local_image.unsqueeze(0)).expand({-1, -1, frames.size(0), -1, -1});
  }
  return window;
}

/// Conditions of several windows as one batch.
models::EncodedConditions concatenate(const std::vector<models::EncodedConditions>& windows) {
  if (windows.size() == 1) return windows.front();
  const auto gather = [&](auto&& get) {
    std::vector<at::Tensor> parts;
    for (const models::EncodedConditions& window : windows) parts.push_back(get(window));
    return at::cat(parts);
  };
  models::EncodedConditions batch;
  batch.concat = gather([](const auto& window) { return window.concat; });
  batch.reference = gather([](const auto& window) { return window.reference; });
  for (std::size_t i = 0; i < windows.front().context.size(); ++i) {
    batch.context.push_back({gather([&](const auto& window) { return window.context[i].keys; }),
                             gather([&](const auto& window) { return window.context[i].values; })});
  }
  return batch;
}

}  // namespace

ClipDenoiser::ClipDenoiser(const models::UNet& unet, const ClipConditions& conditions, const models::LatentShape& shape,
                           const diffusion::ContextWindowOptions& options, double guidance_scale,
                           const Progress& progress)
    : unet_(unet), progress_(progress), guidance_scale_(guidance_scale) {
  const at::TensorOptions on_device = conditions.empty_prompt.options();
  windows_per_frame_ = at::zeros({shape.frames, 1, 1}, on_device.dtype(at::kFloat));
  const std::vector<diffusion::ContextWindow> windows = diffusion::context_windows(shape.frames, options);
  for (std::size_t first = 0; first < windows.size(); first += static_cast<std::size_t>(options.batch_size)) {
    progress.throw_if_cancelled();
    const std::size_t last = std::min(windows.size(), first + static_cast<std::size_t>(options.batch_size));
    WindowBatch& batch = batches_.emplace_back();
    std::vector<models::EncodedConditions> conditional;
    std::vector<models::EncodedConditions> unconditional;
    for (std::size_t i = first; i < last; ++i) {
      const at::Tensor frames = at::tensor(windows[i], at::kLong).to(on_device.device());
      const models::LatentShape window_shape{1, frames.size(0), shape.height, shape.width};
      conditional.push_back(unet.encode(window_conditions(conditions, frames), conditions.empty_prompt, window_shape));
      if (guidance_scale != 1.0) unconditional.push_back(unet.encode({}, conditions.empty_prompt, window_shape));
      windows_per_frame_.index_add_(0, frames, at::ones({frames.size(0), 1, 1}, windows_per_frame_.options()));
      batch.frames.push_back(frames);
    }
    batch.conditional = concatenate(conditional);
    if (!unconditional.empty()) batch.unconditional = concatenate(unconditional);
  }
}

std::int64_t ClipDenoiser::unet_calls() const {
  return static_cast<std::int64_t>(batches_.size()) * (guidance_scale_ == 1.0 ? 1 : 2);
}

at::Tensor ClipDenoiser::summed_prediction(const at::Tensor& x, std::int64_t timestep, bool conditional) const {
  at::Tensor sum = at::zeros_like(x);
  for (const WindowBatch& batch : batches_) {
    progress_.throw_if_cancelled();
    std::vector<at::Tensor> windows;
    for (const at::Tensor& frames : batch.frames) windows.push_back(x.index_select(2, frames));
    const at::Tensor timesteps =
        at::full({static_cast<std::int64_t>(windows.size())}, timestep, x.options().dtype(at::kLong));
    const at::Tensor v =
        unet_(at::cat(windows), timesteps, conditional ? batch.conditional : batch.unconditional).to(x.options());
    for (std::size_t i = 0; i < batch.frames.size(); ++i) {
      sum.index_add_(2, batch.frames[i], v.narrow(0, static_cast<std::int64_t>(i), 1));
    }
  }
  return sum;
}

at::Tensor ClipDenoiser::operator()(const at::Tensor& x, std::int64_t timestep) const {
  const at::Tensor conditional = summed_prediction(x, timestep, true) / windows_per_frame_;
  if (guidance_scale_ == 1.0) return conditional;
  const at::Tensor unconditional = summed_prediction(x, timestep, false) / windows_per_frame_;
  return unconditional + guidance_scale_ * (conditional - unconditional);
}

}  // namespace unianimate::pipeline
