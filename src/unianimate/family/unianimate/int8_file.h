// A UNet to a file of weights in 8 bits.
#pragma once

#include <filesystem>

#include "unianimate/checkpoint/convert.h"
#include "unianimate/core/progress.h"

namespace unianimate::family {

/// Writes the UNet `input` to the safetensors file `output` under the published names: layers that 8 bits hardly move
/// (measure_int8()) as int8_weights.h has it, all else in bf16. Autoencoder and CLIP, which the measuring needs, are
/// those of the input's folder. The metadata are the input's and name the layers left in bf16, and how far 8 bits would
/// move them. A note tells the same. Throws Error(kUsage) for a file that is in 8 bits already, what open_to_convert(),
/// find_model_files() and loading the models throw, and Error(kEnvironment) where the file cannot be written.
checkpoint::ConvertReport convert_unet_to_int8(const std::filesystem::path& input, const std::filesystem::path& output,
                                               bool allow_nonfinite, Progress& progress);

}  // namespace unianimate::family
