// What the autoencoder and the small decoder cost, counted from their sizes.
#pragma once

#include <cstdint>
#include <vector>

#include "unianimate/models/autoencoder/config.h"
#include "unianimate/models/autoencoder/small_decoder.h"

namespace unianimate::models {

/// Floating-point operations of encoding one picture, or decoding one latent, of h × w latent pixels: convolutions and
/// attention products, a multiply-add counted as two.
double encoder_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w);
double decoder_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w);
double decoder_operations(const SmallDecoderConfig& config, std::int64_t h, std::int64_t w);

/// The same, level by level from the outermost: what is computed at one resolution.
std::vector<double> encoder_level_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w);
std::vector<double> decoder_level_operations(const AutoencoderConfig& config, std::int64_t h, std::int64_t w);

/// Of one residual block of a level that keeps its width, on a picture with so many pixels there.
double autoencoder_block_operations(const AutoencoderConfig& config, std::size_t level, std::int64_t pixels);

}  // namespace unianimate::models
