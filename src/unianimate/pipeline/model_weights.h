// Models with their weights: from checkpoint files to modules ready to run.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/progress.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/pipeline/model_files.h"

namespace unianimate::pipeline {

/// Names (with `prefix` cut off) and shapes of the tensors whose names start with `prefix`.
models::Shapes shapes_of(const checkpoint::Checkpoint& checkpoint, std::string_view prefix);

/// What precedes every key of the autoencoder in `file`: "first_stage_model." in a whole Stable Diffusion checkpoint,
/// nothing where the first stage stands alone. Throws Error(kInput) for an unreadable file.
std::string autoencoder_prefix(const std::filesystem::path& file);

/// Compares every key and shape of the three files with models of these sizes, without reading weights. Throws
/// Error(kInput) naming file and keys where one is missing, left over or of another shape.
void check_weights(const ModelFiles& files, const ModelConfigs& configs);

/// Each builds a model of these sizes in `options`' dtype on its device and fills it strictly: every key of the file
/// used once, none missing, shapes equal, else Error(kInput) naming file and keys. At most one tensor of the file is in
/// memory at a time. `progress` may cancel between tensors.
std::unique_ptr<models::UNet> load_unet(const std::filesystem::path& file, const models::UNetConfig& config,
                                        const at::TensorOptions& options, const Progress& progress);
std::unique_ptr<models::Autoencoder> load_autoencoder(const std::filesystem::path& file,
                                                      const models::AutoencoderConfig& config,
                                                      const at::TensorOptions& options, const Progress& progress);
std::unique_ptr<models::ClipVisual> load_clip_visual(const std::filesystem::path& file,
                                                     const models::ClipConfig& config, const at::TensorOptions& options,
                                                     const Progress& progress);
std::unique_ptr<models::ClipText> load_clip_text(const std::filesystem::path& file, const models::ClipConfig& config,
                                                 const at::TensorOptions& options, const Progress& progress);

}  // namespace unianimate::pipeline
