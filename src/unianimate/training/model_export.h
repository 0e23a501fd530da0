// A trained model as a folder that the program loads.
#pragma once

#include <filesystem>
#include <string>

#include "unianimate/core/named_tensor.h"
#include "unianimate/pipeline/model_description.h"

namespace unianimate::training {

/// Parameters of the three models under their checkpoint names (CLIP's with both towers), and corrections.
struct ModelWeights {
  NamedTensors unet;
  NamedTensors autoencoder;
  NamedTensors clip;
  NamedTensors lora;
};

/// Makes the folder where it is missing and writes model.json and those checkpoints that are given (corrections as
/// lora.safetensors), each whole or not at all. Throws Error(kEnvironment).
void export_model(const std::filesystem::path& folder, const pipeline::ModelDescription& description,
                  const ModelWeights& weights);

/// The names with `prefix` before each.
NamedTensors prefixed(const NamedTensors& tensors, const std::string& prefix);

}  // namespace unianimate::training
