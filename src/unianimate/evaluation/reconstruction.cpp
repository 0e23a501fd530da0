#include "unianimate/evaluation/reconstruction.h"

#include "unianimate/family/pictures.h"
#include "unianimate/family/unianimate/model_weights.h"

namespace unianimate::evaluation {

Reconstruction::Reconstruction(const family::ModelFiles& files, const family::ModelConfigs& configs,
                               const Compute& compute, bool allow_nonfinite, Progress& progress)
    : device_(compute.device),
      model_(family::load_autoencoder(
          files.autoencoder, configs.autoencoder,
          {at::TensorOptions().device(compute.device).dtype(compute.dtype), allow_nonfinite}, progress)) {}

Image Reconstruction::operator()(const Image& picture) const {
  const c10::InferenceMode inference;
  const at::Tensor pixels = family::unit_range(family::tensor_from_image(picture));
  const at::Tensor moments = model_->encode_moments(2.0 * pixels.permute({2, 0, 1}).unsqueeze(0).to(device_) - 1.0);
  const at::Tensor mean = moments.chunk(2, 1).front();
  const at::Tensor latent = model_->sample_latent(moments, at::zeros_like(mean, at::kFloat));
  return family::image_from_decoded(model_->decode(latent).squeeze(0));
}

}  // namespace unianimate::evaluation
