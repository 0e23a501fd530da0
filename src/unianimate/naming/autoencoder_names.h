// The autoencoder's tensors as diffusers' AutoencoderKL names them.
#pragma once

#include <cstdint>
#include <string_view>

#include "unianimate/checkpoint/placement.h"

namespace unianimate::naming {

/// "decoder.up_blocks.0.resnets.1.conv_shortcut.weight" of an autoencoder with four levels ->
/// "decoder.up.3.block.1.nin_shortcut.weight". Diffusers counts the decoder's levels from the deepest, and has linear
/// layers where the published model has convolutions of one pixel; both its older and newer names of the attention are
/// known. A name that is none of these stays.
checkpoint::Placement place_diffusers_autoencoder(std::string_view name, std::int64_t levels);

}  // namespace unianimate::naming
