#include "unianimate/family/unianimate/picture_encoding.h"

#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/resize.h"

namespace unianimate::family {

at::Tensor latent_moments(LoadedModels& models, const Image& picture, Progress& progress) {
  const models::Autoencoder& model = models.autoencoder(progress);
  const at::Tensor pixels = models.on_device(unit_range(tensor_from_image(picture)).permute({2, 0, 1}).unsqueeze(0));
  return model.encode_moments(2.0 * pixels - 1.0);
}

at::Tensor mean_latent(LoadedModels& models, const Image& picture, Progress& progress) {
  const at::Tensor moments = latent_moments(models, picture, progress);
  return models.autoencoder(progress).sample_latent(moments, at::zeros_like(moments.chunk(2, 1).front(), at::kFloat));
}

at::Tensor image_embedding(LoadedModels& models, const Image& picture, Progress& progress) {
  const auto side = static_cast<int>(models.configs().clip.vision.image_size);
  const at::Tensor small = unit_range(tensor_from_image(resize_bilinear(picture, side, side)));
  const at::Tensor normalized = models::normalize_for_clip(small.permute({2, 0, 1}).unsqueeze(0));
  return models.clip_visual(progress)(models.on_device(normalized)).unsqueeze(1);
}

}  // namespace unianimate::family
