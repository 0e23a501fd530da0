// Which layers of a model multiply in 8 bits: those whose outputs hardly move when they do, of a drawn person.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <string_view>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/family/clip_geometry.h"
#include "unianimate/family/unianimate/loaded_models.h"

namespace unianimate::family {

/// A short clip of a procedural person as the models see it, always the same.
struct DrawnPerson {
  at::Tensor latents;  ///< (1, 4, F, h, w)
  models::UNetConditions conditions;
  at::Tensor empty_prompt;  ///< (1, tokens, embed_dim)
};

/// By the autoencoder and CLIP of `models`, which leave the memory again if they were not there before. Throws what
/// loading them throws.
DrawnPerson encode_drawn_person(LoadedModels& models, Progress& progress);

/// The mean latent of one of its frames (1, 4, h, w), by the autoencoder of `models`. Throws as loading it.
at::Tensor encode_drawn_frame(LoadedModels& models, Progress& progress);

/// Its shape, and how many passes over it measure_int8() makes.
ClipShape drawn_person_shape(const ModelConfigs& configs);
inline constexpr std::size_t kMeasuringPasses = 3;

/// Layers that 8 bits move by more than this, relative and in L2, are left as they are.
inline constexpr double kMostInt8Error = 0.02;
/// Of the decoder, whose errors no further step of sampling takes back.
inline constexpr double kMostInt8DecoderError = 0.01;

struct Int8Error {
  std::string layer;
  double error = 0;  ///< relative L2 distance of the output, the largest of a layer's calls
  double most = 0;   ///< with more than this the layer is left as it is
};

/// Whether the layer is to be in 8 bits; one whose error is no number is not.
inline bool fits_int8(const Int8Error& one) {
  return one.error <= one.most;
}

/// Of all layers that may, in the order of the model, at timesteps 949, 499 and 40; its weights are as before.
std::vector<Int8Error> measure_int8(const models::UNet& unet, const DrawnPerson& person, Progress& progress);
/// The same of the decoder, for what encode_drawn_frame() gives.
std::vector<Int8Error> measure_int8(const models::Autoencoder& autoencoder, const at::Tensor& latent);

/// "8 bits in 120 of 123 layers of MODEL; the others would move by over 2 %: NAME (3.1 %), …".
std::string sentence(const std::vector<Int8Error>& errors, std::string_view model);

}  // namespace unianimate::family
