// Models with their weights: from checkpoint files to modules ready to run.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/progress.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/naming/model_naming.h"

namespace unianimate::family {

struct WeightOptions {
  at::TensorOptions tensors;     ///< dtype and device of the model
  bool allow_nonfinite = false;  ///< use weights that are not finite in that dtype, with a note, instead of refusing
  bool int8 = false;             ///< the UNet's layers that the file holds in 8 bits multiply so, on the CPU
};

/// A sentence about weights that are not finite and are used all the same, where there are any.
void note_nonfinite(const checkpoint::LoadReport& report, Progress& progress);

/// The model's own names of the tensors of `checkpoint` that are `naming`'s, and their shapes in the model.
models::Shapes shapes_of(const checkpoint::Checkpoint& checkpoint, const naming::ModelNaming& naming);

/// Compares every key and shape of the file with a model of these sizes, without reading weights. Throws Error(kInput)
/// naming file and keys where one is missing, left over or of another shape.
void check_weights(const checkpoint::Checkpoint& file, const naming::ModelNaming& naming,
                   const models::UNetConfig& config);
void check_weights(const checkpoint::Checkpoint& file, const naming::ModelNaming& naming,
                   const models::AutoencoderConfig& config);
void check_weights(const checkpoint::Checkpoint& file, const naming::ModelNaming& naming,
                   const models::ClipConfig& config);

/// Each builds a model of these sizes and fills it strictly: every tensor of the model once, none missing, shapes
/// equal, every value finite, else Error(kInput) naming file and keys. A few megabytes of the file are in memory at a
/// time. `progress` may cancel between tensors.
std::unique_ptr<models::UNet> load_unet(const std::filesystem::path& file, const models::UNetConfig& config,
                                        const WeightOptions& options, Progress& progress);
std::unique_ptr<models::Autoencoder> load_autoencoder(const std::filesystem::path& file,
                                                      const models::AutoencoderConfig& config,
                                                      const WeightOptions& options, Progress& progress);
std::unique_ptr<models::ClipVisual> load_clip_visual(const std::filesystem::path& file,
                                                     const models::ClipConfig& config, const WeightOptions& options,
                                                     Progress& progress);
std::unique_ptr<models::ClipText> load_clip_text(const std::filesystem::path& file, const models::ClipConfig& config,
                                                 const WeightOptions& options, Progress& progress);

}  // namespace unianimate::family
