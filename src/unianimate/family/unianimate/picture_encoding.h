// Pictures as the autoencoder and CLIP see them.
#pragma once

#include <ATen/ATen.h>

#include "unianimate/core/progress.h"
#include "unianimate/family/unianimate/loaded_models.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::family {

// All throw what loading the models throws.

/// The moments (1, 2·4, h, w) of its latent, on the device.
at::Tensor latent_moments(LoadedModels& models, const Image& picture, Progress& progress);

/// The mean of its latent (1, 4, h, w), scaled.
at::Tensor mean_latent(LoadedModels& models, const Image& picture, Progress& progress);

/// CLIP's embedding (1, 1, embed_dim).
at::Tensor image_embedding(LoadedModels& models, const Image& picture, Progress& progress);

}  // namespace unianimate::family
