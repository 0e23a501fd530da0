// Holding the colours of a video to those of its reference picture.
#pragma once

#include <span>
#include <vector>

#include "unianimate/media/pictures/image.h"

namespace unianimate::pipeline {

/// Gives the pictures together the mean and the standard deviation of each channel that `reference` has (Reinhard et
/// al., "Color Transfer between Images", in RGB). A channel is stretched by 0.8 to 1.25 at most, so that pictures with
/// other things in them keep their contrast.
void match_colors(std::span<Image> pictures, const Image& reference);

}  // namespace unianimate::pipeline
