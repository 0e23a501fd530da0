// The conditions of context windows, encoded when a window comes to the UNet.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "unianimate/diffusion/context_windows.h"
#include "unianimate/family/clip_geometry.h"
#include "unianimate/family/pose_pictures.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::family {

/// What a whole clip is conditioned on; absent conditions are undefined or null.
struct ClipConditions {
  at::Tensor empty_prompt;              ///< (1, 77, context_dim); never absent
  at::Tensor image;                     ///< (1, 1, context_dim)
  const PosePictures* poses = nullptr;  ///< must outlive whoever uses it
  std::int64_t first_pose = 0;          ///< the picture of the clip's first frame, where the clip is part of a video
  at::Tensor reference_latent;          ///< (1, 4, h, w), for randomref
  at::Tensor local_image;               ///< uint8 (H, W, 3)
};

/// Keeps what it has encoded, up to kEncodedInMemory, and encodes the rest anew each time: a small part of what the
/// UNet takes. What all windows share is kept once.
class WindowConditions {
 public:
  static constexpr std::int64_t kEncodedInMemory = 64'000'000;  ///< bytes

  /// `unet` must outlive this. All windows have `window.frames` frames; `window.batch` is 1.
  WindowConditions(const models::UNet& unet, ClipConditions conditions, const models::LatentShape& window);

  /// Bytes that it keeps of so many windows, batch 1 each.
  static std::int64_t bytes_kept(const models::UNetConfig& config, at::ScalarType dtype, const ClipShape& window,
                                 std::int64_t windows);

  /// Of several windows as one batch. Throws Error(kInput) where a pose picture cannot be read.
  [[nodiscard]] models::EncodedConditions conditional(std::span<const diffusion::ContextWindow> windows);
  /// Of as many windows without any condition.
  [[nodiscard]] models::EncodedConditions unconditional(std::int64_t count);

 private:
  /// What differs between windows; without the context.
  [[nodiscard]] models::EncodedConditions encode(const diffusion::ContextWindow& window);

  const models::UNet& unet_;
  ClipConditions conditions_;
  models::LatentShape window_;
  std::map<std::int64_t, models::EncodedConditions> encoded_;  ///< by the window's first frame
  std::int64_t encoded_bytes_ = 0;
  std::vector<models::ContextKeysValues> context_;  ///< batch 1; empty before the first window
  models::EncodedConditions unconditional_;         ///< batch 1; its `concat` is undefined before the first use
};

}  // namespace unianimate::family
