// A models folder with random weights, of any sizes.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>

#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::benchmarks {

/// Writes UNet, autoencoder, CLIP and model.json in fp16 into `folder`, which must exist. The weights are drawn on
/// `device`, which takes seconds for the published sizes on a card.
void write_random_models(const std::filesystem::path& folder, const family::ModelConfigs& configs, at::Device device);

}  // namespace unianimate::benchmarks
