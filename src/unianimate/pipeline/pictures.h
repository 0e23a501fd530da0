// Pictures between files, 8-bit frames and the tensors the models take.
#pragma once

#include <ATen/ATen.h>

#include <span>

#include "unianimate/media/image.h"

namespace unianimate::pipeline {

/// A copy of the picture's bytes: uint8 (H, W, 3).
at::Tensor tensor_from_image(const Image& image);

/// Pictures of equal size stacked: uint8 (N, H, W, 3).
at::Tensor tensor_from_images(std::span<const Image> images);

/// uint8 (..., 3) -> float in [0, 1].
at::Tensor unit_range(const at::Tensor& bytes);

/// A decoded picture (3, H, W) in about [-1, 1] as published: (y+1)/2, clamped, times 255, truncated.
Image image_from_decoded(const at::Tensor& decoded);

}  // namespace unianimate::pipeline
