#include "unianimate/family/unianimate/loaded_models.h"

#include <utility>

namespace unianimate::family {

LoadedModels::LoadedModels(ModelFiles files, ModelConfigs configs, RuntimeOptions options)
    : files_(std::move(files)), configs_(std::move(configs)), options_(std::move(options)) {}

WeightOptions LoadedModels::weights() const {
  return {at::TensorOptions().device(options_.compute.device).dtype(options_.compute.dtype), options_.allow_nonfinite};
}

const models::UNet& LoadedModels::unet(Progress& progress) {
  if (!unet_) {
    auto loaded = load_unet(files_.unet, configs_.unet, weights(), progress);
    add_loras(options_.loras, loaded->named_parameters(), options_.allow_nonfinite, progress);
    unet_ = std::move(loaded);
  }
  return *unet_;
}

const models::Autoencoder& LoadedModels::autoencoder(Progress& progress) {
  if (!autoencoder_) autoencoder_ = load_autoencoder(files_.autoencoder, configs_.autoencoder, weights(), progress);
  return *autoencoder_;
}

const models::ClipVisual& LoadedModels::clip_visual(Progress& progress) {
  if (!clip_visual_) clip_visual_ = load_clip_visual(files_.clip, configs_.clip, weights(), progress);
  return *clip_visual_;
}

const at::Tensor& LoadedModels::empty_prompt(Progress& progress) {
  if (!empty_prompt_.defined()) {
    empty_prompt_ = load_clip_text(files_.clip, configs_.clip, weights(), progress)->embed_empty_prompt();
  }
  return empty_prompt_;
}

}  // namespace unianimate::family
