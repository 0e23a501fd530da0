// A models folder filled by the rule, in the published containers: to run the whole program without the real weights.
#pragma once

#include <filesystem>

#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::testing {

/// The sizes of the golden pipeline files: dim 32, context width 64, autoencoder of 32 channels, CLIP of width 64.
family::ModelConfigs small_model_configs();

/// As few and as narrow layers as there can be, for whatever looks at no golden numbers: a third of the time.
family::ModelConfigs tiny_model_configs();

/// Writes the UNet (.pth, wrapped in a state dict), the autoencoder (.ckpt, as Lightning does, under
/// first_stage_model.), CLIP (.bin) and model.json into `folder`, which must exist.
void write_rule_models(const std::filesystem::path& folder, const family::ModelConfigs& configs);

/// Writes `file`, a small decoder for the autoencoder of such a folder.
void write_rule_small_decoder(const std::filesystem::path& folder, const std::filesystem::path& file);

}  // namespace unianimate::testing
