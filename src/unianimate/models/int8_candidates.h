// Which layers may multiply in 8 bits.
#pragma once

#include <vector>

#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::models {

/// All but the first and the last convolution and what makes the embeddings of timestep and conditions, which together
/// are little work and which everything else is computed from.
std::vector<nn::NamedProduct> int8_candidates(const UNet& unet);

/// Those of the decoder but its first and last convolution: the encoder is asked once for a video.
std::vector<nn::NamedProduct> int8_candidates(const Autoencoder& autoencoder);

}  // namespace unianimate::models
