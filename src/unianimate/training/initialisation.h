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

/// The same, what the published UNet begins with at zero, the last layer of every residual branch and of the whole, and
/// what temporal Mambas begin with.
void initialise_unet(const NamedTensors& parameters, std::uint64_t seed);

/// The UNet `parameters` of a temporal Mamba begins as that of a temporal Transformer whose temporal attentions are
/// left out: everything else is that UNet's, and the Mambas add nothing yet.
void put_mamba_in_place_of_attention(const NamedTensors& parameters, const NamedTensors& transformer,
                                     std::uint64_t seed);

/// The defaults, and what OpenCLIP draws from normal distributions: embeddings and projections.
void initialise_clip(const NamedTensors& parameters, std::uint64_t seed);

}  // namespace unianimate::training
