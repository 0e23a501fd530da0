#include "unianimate/family/unianimate/window_conditions.h"

#include <algorithm>
#include <utility>

#include "unianimate/family/pictures.h"

namespace unianimate::family {

namespace {

/// Pictures (F, H, W, 3) as the UNet takes them: (1, 3, F, H, W) in [0, 1], a view.
at::Tensor as_clip(const at::Tensor& bytes) {
  return unit_range(bytes).permute({3, 0, 1, 2}).unsqueeze(0);
}

/// The conditions of one window, batch 1.
models::UNetConditions window_conditions(const ClipConditions& clip, const diffusion::ContextWindow& window) {
  models::UNetConditions conditions;
  conditions.image = clip.image;
  if (clip.poses != nullptr) {
    const at::Tensor poses = clip.poses->of_frames(clip.first_pose + window.first, window.size);
    conditions.dwpose = as_clip(at::cat({clip.poses->reference().unsqueeze(0), poses}));
  }
  if (clip.reference_latent.defined()) conditions.randomref = clip.reference_latent.unsqueeze(2);
  if (clip.local_image.defined()) {
    conditions.local_image = as_clip(clip.local_image.unsqueeze(0)).expand({-1, -1, window.size, -1, -1});
  }
  return conditions;
}

/// Keys and values of one clip for a batch of `count`, without copies.
std::vector<models::ContextKeysValues> repeat(const std::vector<models::ContextKeysValues>& context,
                                              std::int64_t count) {
  const auto expanded = [&](const at::Tensor& x) { return x.expand({count, -1, -1, -1}); };
  std::vector<models::ContextKeysValues> batch;
  for (const auto& [keys, values] : context) batch.push_back({expanded(keys), expanded(values)});
  return batch;
}

std::int64_t bytes_of(const at::Tensor& x) {
  return x.numel() * static_cast<std::int64_t>(x.element_size());
}

}  // namespace

WindowConditions::WindowConditions(const models::UNet& unet, ClipConditions conditions,
                                   const models::LatentShape& window)
    : unet_(unet), conditions_(std::move(conditions)), window_(window) {}

std::int64_t WindowConditions::bytes_kept(const models::UNetConfig& config, at::ScalarType dtype,
                                          const ClipShape& window, std::int64_t windows) {
  const std::int64_t values = window.latents * config.concat_dim + config.input_channels();
  const auto element = static_cast<std::int64_t>(c10::elementSize(dtype));
  return std::min(windows * values * window.height * window.width * element, kEncodedInMemory);
}

models::EncodedConditions WindowConditions::encode(const diffusion::ContextWindow& window) {
  if (const auto known = encoded_.find(window.first); known != encoded_.end()) return known->second;
  models::EncodedConditions encoded =
      unet_.encode(window_conditions(conditions_, window), conditions_.empty_prompt, window_);
  if (context_.empty()) context_ = std::move(encoded.context);
  encoded.context.clear();
  const std::int64_t bytes = bytes_of(encoded.concat) + bytes_of(encoded.reference);
  if (encoded_bytes_ + bytes <= kEncodedInMemory) {
    encoded_bytes_ += bytes;
    encoded_.emplace(window.first, encoded);
  }
  return encoded;
}

models::EncodedConditions WindowConditions::conditional(std::span<const diffusion::ContextWindow> windows) {
  std::vector<at::Tensor> concat;
  std::vector<at::Tensor> reference;
  for (const diffusion::ContextWindow& window : windows) {
    const models::EncodedConditions encoded = encode(window);
    concat.push_back(encoded.concat);
    reference.push_back(encoded.reference);
  }
  return {at::cat(concat), at::cat(reference), repeat(context_, static_cast<std::int64_t>(windows.size()))};
}

models::EncodedConditions WindowConditions::unconditional(std::int64_t count) {
  if (!unconditional_.concat.defined()) unconditional_ = unet_.encode({}, conditions_.empty_prompt, window_);
  return {at::cat(std::vector(static_cast<std::size_t>(count), unconditional_.concat)),
          at::cat(std::vector(static_cast<std::size_t>(count), unconditional_.reference)),
          repeat(unconditional_.context, count)};
}

}  // namespace unianimate::family
