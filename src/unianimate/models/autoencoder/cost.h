// What decoding costs, counted from the sizes of the decoders.
#pragma once

#include <cstdint>

#include "unianimate/models/autoencoder/config.h"
#include "unianimate/models/autoencoder/small_decoder.h"

namespace unianimate::models {

/// Floating-point operations of decoding one latent of h × w: convolutions and attention products, a multiply-add
/// counted as two.
double decoder_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w);
double decoder_operations(const SmallDecoderConfig& config, std::int64_t h, std::int64_t w);

}  // namespace unianimate::models
