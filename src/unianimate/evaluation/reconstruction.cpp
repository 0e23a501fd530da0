#include "unianimate/evaluation/reconstruction.h"

#include "unianimate/pipeline/model_weights.h"
#include "unianimate/pipeline/pictures.h"

namespace unianimate::evaluation {

Reconstruction::Reconstruction(const pipeline::ModelFiles& files, const pipeline::ModelConfigs& configs,
                               const Compute& compute, bool allow_nonfinite, Progress& progress)
    : device_(compute.device),
      model_(pipeline::load_autoencoder(
          files.autoencoder, configs.autoencoder,
          {at::TensorOptions().device(compute.device).dtype(compute.dtype), allow_nonfinite}, progress)) {}

Image Reconstruction::operator()(const Image& picture) const {
  const c10::InferenceMode inference;
  const at::Tensor pixels = pipeline::unit_range(pipeline::tensor_from_image(picture));
  const at::Tensor moments = model_->encode_moments(2.0 * pixels.permute({2, 0, 1}).unsqueeze(0).to(device_) - 1.0);
  const at::Tensor mean = moments.chunk(2, 1).front();
  const at::Tensor latent = model_->sample_latent(moments, at::zeros_like(mean, at::kFloat));
  return pipeline::image_from_decoded(model_->decode(latent).squeeze(0));
}

}  // namespace unianimate::evaluation
