// The file of a small decoder, which says what autoencoder it decodes for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/progress.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/family/unianimate/model_weights.h"
#include "unianimate/models/autoencoder/small_decoder.h"

namespace unianimate::family {

/// A short name for what an autoencoder makes of latents: a hash of the weights of its decoder, rounded to bf16, and of
/// its scale_factor. So copies in fp32 and bf16 have the same, copies in fp16 of a file in fp32 another one.
std::string decoder_hash(const models::Autoencoder& autoencoder);

/// The metadata of the file of a small decoder that was trained for `autoencoder`: the format and decoder_hash().
checkpoint::Metadata small_decoder_metadata(const models::Autoencoder& autoencoder);

/// Whether the file says that it is one.
bool is_small_decoder(const checkpoint::Checkpoint& file);

/// Its sizes, once every name and shape was compared with them. Throws Error(kInput) naming the file where it is none.
models::SmallDecoderConfig read_small_decoder_config(const checkpoint::Checkpoint& file);

/// Reads the autoencoder's weights once. Throws Error(kInput) where `files.small_decoder` is no small decoder, or was
/// trained for another autoencoder than `files.autoencoder`, of the sizes `config`.
void require_small_decoder_fits(const ModelFiles& files, const models::AutoencoderConfig& config, bool allow_nonfinite);

/// As load_unet() loads a UNet.
std::unique_ptr<models::SmallDecoder> load_small_decoder(const std::filesystem::path& file,
                                                         const WeightOptions& options, Progress& progress);

}  // namespace unianimate::family
