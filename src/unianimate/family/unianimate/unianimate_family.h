// The published family: a UNet over latents of single frames, the autoencoder of Stable Diffusion 2.1, OpenCLIP.
#pragma once

#include <memory>

#include "unianimate/family/family.h"
#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::family {

/// Whether the UNet is one of this family, in any program's names.
bool is_unianimate(const ModelFiles& files);

/// Throws as read_model_configs() does.
std::unique_ptr<Family> open_unianimate(const ModelFiles& files, const RuntimeOptions& options);

/// The same where the sizes are known.
std::unique_ptr<Family> make_unianimate(const ModelFiles& files, const ModelConfigs& configs,
                                        const RuntimeOptions& options);

}  // namespace unianimate::family
