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

/// Keys and values of one clip for a batch of `count`, without copies.
std::vector<models::ContextKeysValues> repeat(const std::vector<models::ContextKeysValues>& context,
                                              std::int64_t count) {
  const auto expanded = [&](const at::Tensor& x) { return x.expand({count, -1, -1, -1}); };
  std::vector<models::ContextKeysValues> batch;
  for (const auto& [keys, values] : context) batch.push_back({expanded(keys), expanded(values)});
  return batch;
}

/// Conditions of several windows as one batch. The context does not depend on the window.
models::EncodedConditions as_batch(const std::vector<models::EncodedConditions>& windows) {
  std::vector<at::Tensor> concat;
  std::vector<at::Tensor> reference;
  for (const models::EncodedConditions& window : windows) {
    concat.push_back(window.concat);
    reference.push_back(window.reference);
  }
  return {at::cat(concat), at::cat(reference),
          repeat(windows.front().context, static_cast<std::int64_t>(windows.size()))};
}

/// The first `count` clips of a batch whose clips all have the same context.
models::EncodedConditions first_clips(const models::EncodedConditions& batch, std::int64_t count) {
  models::EncodedConditions part{batch.concat.narrow(0, 0, count), batch.reference.narrow(0, 0, count), {}};
  for (const auto& [keys, values] : batch.context) {
    part.context.push_back({keys.narrow(0, 0, count), values.narrow(0, 0, count)});
  }
  return part;
}

}  // namespace

ClipDenoiser::ClipDenoiser(const models::UNet& unet, const ClipConditions& conditions, const models::LatentShape& shape,
                           const diffusion::ContextWindowOptions& options, double guidance_scale, Progress& progress)
    : unet_(unet), progress_(progress), guidance_scale_(guidance_scale) {
  const at::TensorOptions on_device = conditions.empty_prompt.options();
  windows_per_frame_ = at::zeros({shape.frames, 1, 1}, on_device.dtype(at::kFloat));
  const std::vector<diffusion::ContextWindow> windows = diffusion::context_windows(shape.frames, options);
  const auto batch_size = std::min(windows.size(), static_cast<std::size_t>(options.batch_size));
  const models::LatentShape window_shape{1, static_cast<std::int64_t>(windows.front().size()), shape.height,
                                         shape.width};
  std::vector<models::ContextKeysValues> context;
  for (std::size_t first = 0; first < windows.size(); first += batch_size) {
    WindowBatch& batch = batches_.emplace_back();
    std::vector<models::EncodedConditions> encoded;
    for (std::size_t i = first; i < std::min(windows.size(), first + batch_size); ++i) {
      progress.throw_if_cancelled();
      const at::Tensor frames = at::tensor(windows[i], at::kLong).to(on_device.device());
      windows_per_frame_.index_add_(0, frames, at::ones({frames.size(0), 1, 1}, windows_per_frame_.options()));
      batch.frames.push_back(frames);
      encoded.push_back(unet.encode(window_conditions(conditions, frames), conditions.empty_prompt, window_shape));
      if (context.empty()) context = encoded.back().context;
      encoded.back().context = context;
    }
    batch.conditions = as_batch(encoded);
  }
  if (guidance_scale != 1.0) {
    const models::EncodedConditions one = unet.encode({}, conditions.empty_prompt, window_shape);
    unconditional_ = as_batch(std::vector(batch_size, one));
  }
}

at::Tensor ClipDenoiser::summed_prediction(const at::Tensor& x, std::int64_t timestep, bool conditional) {
  at::Tensor sum = at::zeros_like(x);
  for (const WindowBatch& batch : batches_) {
    progress_.throw_if_cancelled();
    std::vector<at::Tensor> windows;
    for (const at::Tensor& frames : batch.frames) windows.push_back(x.index_select(2, frames));
    const auto count = static_cast<std::int64_t>(windows.size());
    const at::Tensor timesteps = at::full({count}, timestep, x.options().dtype(at::kLong));
    const at::Tensor v =
        unet_(at::cat(windows), timesteps, conditional ? batch.conditions : first_clips(unconditional_, count))
            .to(x.options());
    progress_.step(++unet_calls_done_);
    for (std::size_t i = 0; i < batch.frames.size(); ++i) {
      sum.index_add_(2, batch.frames[i], v.narrow(0, static_cast<std::int64_t>(i), 1));
    }
  }
  return sum;
}

at::Tensor ClipDenoiser::operator()(const at::Tensor& x, std::int64_t timestep) {
  const at::Tensor conditional = summed_prediction(x, timestep, true) / windows_per_frame_;
  if (guidance_scale_ == 1.0) return conditional;
  const at::Tensor unconditional = summed_prediction(x, timestep, false) / windows_per_frame_;
  return unconditional + guidance_scale_ * (conditional - unconditional);
}

}  // namespace unianimate::pipeline
