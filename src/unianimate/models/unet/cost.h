// What one pass through the UNet costs, counted from its sizes.
#pragma once

#include "unianimate/models/unet/unet.h"

namespace unianimate::models {

/// Floating-point operations of one call of UNet::operator() on a clip of this shape: all convolutions, linear layers
/// and attention products, a multiply-add counted as two; conditions are not included, they are encoded only once.
double unet_operations(const UNetConfig& config, const LatentShape& shape);

}  // namespace unianimate::models
