// Pictures between files, 8-bit frames and the tensors the models take.
#pragma once

#include <ATen/ATen.h>

#include "unianimate/media/pictures/image.h"

namespace unianimate::family {

/// A copy of the picture's bytes: uint8 (H, W, 3).
at::Tensor tensor_from_image(const Image& image);

/// uint8 (H, W, 3) back to a picture; a copy.
Image image_from_tensor(const at::Tensor& bytes);

/// uint8 (..., 3) -> float in [0, 1].
at::Tensor unit_range(const at::Tensor& bytes);

/// A decoded picture (3, H, W) in about [-1, 1] as published: (y+1)/2, clamped, times 255, truncated.
Image image_from_decoded(const at::Tensor& decoded);

}  // namespace unianimate::family
