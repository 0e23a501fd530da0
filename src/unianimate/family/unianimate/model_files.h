// Which files of a folder are the published family's, and what sizes their models have.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "unianimate/family/model_files.h"
#include "unianimate/models/autoencoder/config.h"
#include "unianimate/models/clip/config.h"
#include "unianimate/models/unet/config.h"

namespace unianimate::family {

/// The five published files, and that of a small decoder, in `folder`, each present or not. Throws Error(kInput) where
/// `folder` is no folder.
std::vector<PublishedFile> list_published_files(const std::filesystem::path& folder);

/// The files of `folder`, and its model.json: by their published names, or with the suffix .safetensors, which is
/// preferred; else by the names and in the folders that diffusers, transformers, OpenCLIP and ComfyUI use. Throws
/// Error(kInput) naming every file that is missing.
ModelFiles find_model_files(const std::filesystem::path& folder);

/// What the files of a model written into `folder` are called: the published names with the suffix .safetensors, and
/// model.json.
ModelFiles model_files_to_write(const std::filesystem::path& folder);

/// Sizes of all three models.
struct ModelConfigs {
  models::UNetConfig unet;
  models::AutoencoderConfig autoencoder;
  models::ClipConfig clip;
  std::int64_t unet_int8_elements = 0;  ///< weights that the UNet's file holds in 8 bits
  std::vector<std::string> notes;       ///< sentences about files that are not named as published
};

/// Works the sizes out from the checkpoints' shapes. What shapes cannot tell, model.json may say: {"unet": {...},
/// "autoencoder": {...}, "clip": {...}} with the field names of the config structs, every key optional; else the
/// published values hold. Every key and shape of the files is then compared, so that loading cannot fail for these.
/// Throws Error(kInput) for files that are not exactly these models, for broken JSON, and for a value
/// of model.json that contradicts the shapes, or diffusers' config.json beside the autoencoder, naming both;
/// Error(kUsage) for an unknown key or a value out of range.
ModelConfigs read_model_configs(const ModelFiles& files);

}  // namespace unianimate::family
