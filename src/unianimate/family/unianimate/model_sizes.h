// The numbers that tell how large the models are.
#pragma once

#include <vector>

#include "unianimate/family/recognised_model.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/models/autoencoder/small_decoder.h"

namespace unianimate::family {

/// Of one model.
std::vector<ModelSize> sizes_of(const models::UNetConfig& config);
std::vector<ModelSize> sizes_of(const models::AutoencoderConfig& config);
std::vector<ModelSize> sizes_of(const models::ClipConfig& config);
std::vector<ModelSize> sizes_of(const models::SmallDecoderConfig& config);

/// Of all three, with the section of model.json before each name ("unet.dim"), and latent_channels.
std::vector<ModelSize> sizes_of(const ModelConfigs& configs);

}  // namespace unianimate::family
