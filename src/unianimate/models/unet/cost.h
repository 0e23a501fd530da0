// What one pass through the UNet costs, counted from its sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "unianimate/models/unet/unet.h"

namespace unianimate::models {

/// Floating-point operations of one call of UNet::operator() on a clip of this shape: all convolutions, linear layers
/// and attention products, a multiply-add counted as two; conditions are not included, they are encoded only once.
/// `cut`: of a call that takes DeepFeatures of this cut.
double unet_operations(const UNetConfig& config, const LatentShape& shape, std::optional<std::int64_t> cut = {});

/// The same, level by level from the outermost: what is computed at one resolution.
std::vector<double> unet_level_operations(const UNetConfig& config, const LatentShape& shape,
                                          std::optional<std::int64_t> cut = {});

/// Of one residual block of a level and, where it has them, its two transformers; `shape` is that of the level.
double unet_block_operations(const UNetConfig& config, const LatentShape& shape, std::size_t level);
/// Of that residual block alone.
double unet_residual_operations(const UNetConfig& config, const LatentShape& shape, std::size_t level);

/// Bytes of CarriedStates after a pass over a clip of this shape, whose activations have elements of `element` bytes.
/// None for a UNet without temporal Mambas.
std::int64_t carried_state_bytes(const UNetConfig& config, const LatentShape& shape, std::int64_t element);

/// Values in DeepFeatures::kept.
std::int64_t deep_feature_elements(const UNetConfig& config, const LatentShape& shape, std::int64_t cut);

}  // namespace unianimate::models
