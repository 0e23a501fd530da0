// What parameters hold before any training.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "unianimate/core/named_tensor.h"

namespace unianimate::training {

// All fill in place; the same seed gives the same values whatever the device.

/// PyTorch's defaults, by name and shape: linear and convolution weights and biases uniform within ±1/√fan_in, norms
/// one and zero.
void initialise(const NamedTensors& parameters, std::uint64_t seed);

/// The same, and what the published UNet begins with at zero: the last layer of every residual branch and of the whole.
void initialise_unet(const NamedTensors& parameters, std::uint64_t seed);

/// The defaults, and what OpenCLIP draws from normal distributions: embeddings and projections.
void initialise_clip(const NamedTensors& parameters, std::uint64_t seed);

}  // namespace unianimate::training
