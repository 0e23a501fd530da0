// A trained model as a folder that the program loads.
#pragma once

#include <filesystem>
#include <string>

#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/named_tensor.h"
#include "unianimate/family/unianimate/model_description.h"

namespace unianimate::training {

/// Parameters of the models under their checkpoint names (CLIP's with both towers), and corrections.
struct ModelWeights {
  NamedTensors unet;
  NamedTensors autoencoder;
  NamedTensors clip;
  NamedTensors lora;
  checkpoint::Metadata denoiser_metadata;  ///< of the UNet, or of the corrections; see family/distillation.h
  NamedTensors small_decoder;
  checkpoint::Metadata small_decoder_metadata;  ///< see family/unianimate/small_decoder_file.h
};

/// Makes the folder where it is missing and puts model.json and those checkpoints that are given (corrections as
/// lora.safetensors; the small decoder in 16 bits) into it, in place of those of an earlier export, all at once; see
/// output_folder.h. Throws Error(kEnvironment).
void export_model(const std::filesystem::path& folder, const family::ModelDescription& description,
                  const ModelWeights& weights);

/// Where export_model() may write: `wanted`, or the first of "wanted-2", "wanted-3", … in which it replaces nothing
/// that this program did not write.
std::filesystem::path model_folder(const std::filesystem::path& wanted);

/// The names with `prefix` before each.
NamedTensors prefixed(const NamedTensors& tensors, const std::string& prefix);

}  // namespace unianimate::training
