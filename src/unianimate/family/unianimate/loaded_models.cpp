#include "unianimate/family/unianimate/loaded_models.h"

#include <utility>
#include <vector>

#include "unianimate/core/memory.h"
#include "unianimate/family/unianimate/int8_selection.h"
#include "unianimate/family/unianimate/int8_weights.h"
#include "unianimate/family/unianimate/small_decoder_file.h"
#include "unianimate/models/int8_candidates.h"

namespace unianimate::family {

namespace {

std::set<std::string> fitting(const std::vector<Int8Error>& errors) {
  std::set<std::string> layers;
  for (const Int8Error& one : errors) {
    if (fits_int8(one)) layers.insert(one.layer);
  }
  return layers;
}

void use_int8(const std::vector<nn::NamedProduct>& candidates, const std::set<std::string>& layers) {
  for (const nn::NamedProduct& layer : candidates) {
    if (layers.contains(layer.name)) layer.product->use_int8();
  }
}

/// The allocator alone gives back nothing that lies between two things that stay.
template <typename Model>
void free_model(std::unique_ptr<Model>& model) {
  if (!model) return;
  model.reset();
  release_freed_memory();
}

}  // namespace

LoadedModels::LoadedModels(ModelFiles files, ModelConfigs configs, RuntimeOptions options)
    : files_(std::move(files)), configs_(std::move(configs)), options_(std::move(options)) {}

WeightOptions LoadedModels::weights() const {
  return {at::TensorOptions().device(options_.compute.device).dtype(options_.compute.dtype), options_.allow_nonfinite};
}

const models::UNet& LoadedModels::unet(Progress& progress) {
  if (!unet_) {
    if (options_.compute.int8) {
      unet_ = load_int8_unet(progress);
      release_freed_memory();  // of the weights before they were rounded
    } else {
      auto loaded = load_unet(files_.unet, configs_.unet, weights(), progress);
      add_loras(options_.loras, loaded->named_parameters(), options_.allow_nonfinite, progress);
      unet_ = std::move(loaded);
    }
  }
  return *unet_;
}

std::unique_ptr<models::UNet> LoadedModels::load_int8_unet(Progress& progress) {
  std::optional<DrawnPerson> person;
  if (configs_.unet_int8_elements == 0 && !int8_layers_) person = encode_drawn_person(*this, progress);
  WeightOptions how = weights();
  how.int8 = options_.loras.empty();
  auto loaded = load_unet(files_.unet, configs_.unet, how, progress);
  add_loras(options_.loras, loaded->named_parameters(), options_.allow_nonfinite, progress);
  if (configs_.unet_int8_elements > 0 && how.int8) return loaded;
  if (!int8_layers_) {
    int8_layers_.emplace();
    if (configs_.unet_int8_elements > 0) {
      const checkpoint::Checkpoint file = checkpoint::open_checkpoint(files_.unet);
      for (const auto& [layer, scales] :
           read_int8_scales(file, naming::require_naming(file, naming::ModelRole::kUNet))) {
        int8_layers_->insert(layer);
      }
    } else {
      const std::vector<Int8Error> errors = measure_int8(*loaded, *person, progress);
      int8_layers_ = fitting(errors);
      progress.note(sentence(errors, "the UNet"));
    }
  }
  use_int8(models::int8_candidates(*loaded), *int8_layers_);
  return loaded;
}

const models::Autoencoder& LoadedModels::autoencoder(Progress& progress) {
  if (!autoencoder_) autoencoder_ = load_autoencoder(files_.autoencoder, configs_.autoencoder, weights(), progress);
  return *autoencoder_;
}

const models::Autoencoder& LoadedModels::decoder(Progress& progress) {
  const models::Autoencoder& loaded = autoencoder(progress);
  if (!options_.compute.int8 || decodes_in_int8_) return loaded;
  if (!int8_decoder_layers_) {
    const std::vector<Int8Error> errors = measure_int8(loaded, encode_drawn_frame(*this, progress));
    int8_decoder_layers_ = fitting(errors);
    progress.note(sentence(errors, "the decoder"));
  }
  use_int8(models::int8_candidates(loaded), *int8_decoder_layers_);
  decodes_in_int8_ = true;
  return loaded;
}

const models::SmallDecoder& LoadedModels::small_decoder(Progress& progress) {
  if (!small_decoder_) small_decoder_ = load_small_decoder(files_.small_decoder, weights(), progress);
  return *small_decoder_;
}

const models::ClipVisual& LoadedModels::clip_visual(Progress& progress) {
  if (!clip_visual_) clip_visual_ = load_clip_visual(files_.clip, configs_.clip, weights(), progress);
  return *clip_visual_;
}

const at::Tensor& LoadedModels::empty_prompt(Progress& progress) {
  if (!empty_prompt_.defined()) {
    std::unique_ptr<models::ClipText> tower = load_clip_text(files_.clip, configs_.clip, weights(), progress);
    empty_prompt_ = tower->embed_empty_prompt();
    free_model(tower);
  }
  return empty_prompt_;
}

void LoadedModels::free_unet() {
  free_model(unet_);
}

void LoadedModels::free_autoencoder() {
  free_model(autoencoder_);
  decodes_in_int8_ = false;
}

void LoadedModels::free_clip_visual() {
  free_model(clip_visual_);
}

}  // namespace unianimate::family
