// A quick look at latents: pictures by a linear map instead of the decoder.
#pragma once

#include <ATen/ATen.h>

#include "unianimate/media/pictures/image.h"

namespace unianimate::family {

/// RGB = M · (latent, 1) for each latent pixel. M is fitted to the one picture whose latent is known, the reference:
/// the least squares between its latent and its pixels averaged down to the latent's size, with a little ridge. So it
/// suits any autoencoder, and just this person's colours. It shows shapes and colours, blocky as the latent is.
class LatentPreview {
 public:
  /// `reference_latent` (1, 4, h, w) on the CPU; `reference` of any size.
  LatentPreview(const at::Tensor& reference_latent, const Image& reference);

  /// Of one frame's clean latent (4, h, w): a picture of width × height, smoothly enlarged.
  [[nodiscard]] Image picture(const at::Tensor& latent, int width, int height) const;

 private:
  at::Tensor map_;  ///< (3, 5), in double
};

}  // namespace unianimate::family
