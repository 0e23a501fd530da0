// The models of one set of files that are in memory at the moment.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "unianimate/core/progress.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/family/unianimate/model_weights.h"
#include "unianimate/models/autoencoder/small_decoder.h"

namespace unianimate::family {

/// Each is loaded when it is first needed and stays until it is freed. Loading throws as load_unet() and add_loras()
/// do.
class LoadedModels {
 public:
  LoadedModels(ModelFiles files, ModelConfigs configs, RuntimeOptions options);

  [[nodiscard]] const ModelConfigs& configs() const { return configs_; }
  [[nodiscard]] const RuntimeOptions& options() const { return options_; }
  [[nodiscard]] at::Tensor on_device(const at::Tensor& x) const { return x.to(options_.compute.device); }

  /// Where layers are to multiply in 8 bits, these are the layers that the file holds in 8 bits; where it holds none,
  /// those that measure_int8() finds near enough, which takes a few passes of all models.
  const models::UNet& unet(Progress& progress);
  const models::Autoencoder& autoencoder(Progress& progress);
  /// The same, to decode: where layers are to multiply in 8 bits, those of its decoder that measure_int8() finds near
  /// enough, which takes a look at a picture of 128x192 the first time.
  const models::Autoencoder& decoder(Progress& progress);
  /// Of a few megabytes; it stays.
  const models::SmallDecoder& small_decoder(Progress& progress);
  const models::ClipVisual& clip_visual(Progress& progress);
  /// The embedding of ""; its tower is not kept.
  const at::Tensor& empty_prompt(Progress& progress);

  /// While it stands, what needs autoencoder and CLIP has them; those that were not in memory before leave it then.
  class Visit {
   public:
    explicit Visit(LoadedModels& models)
        : models_(models),
          keeps_autoencoder_(models.autoencoder_ != nullptr),
          keeps_clip_(models.clip_visual_ != nullptr) {}
    ~Visit() {
      if (!keeps_autoencoder_) models_.free_autoencoder();
      if (!keeps_clip_) models_.free_clip_visual();
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    LoadedModels& models_;
    bool keeps_autoencoder_;
    bool keeps_clip_;
  };

  /// The memory goes back to the system.
  void free_unet();
  void free_autoencoder();
  void free_clip_visual();

 private:
  [[nodiscard]] WeightOptions weights() const;
  [[nodiscard]] std::unique_ptr<models::UNet> load_int8_unet(Progress& progress);

  ModelFiles files_;
  ModelConfigs configs_;
  RuntimeOptions options_;
  std::unique_ptr<models::UNet> unet_;
  std::optional<std::set<std::string>> int8_layers_;  ///< once they are known
  std::unique_ptr<models::Autoencoder> autoencoder_;
  std::optional<std::set<std::string>> int8_decoder_layers_;  ///< once they are known
  bool decodes_in_int8_ = false;                              ///< the autoencoder in memory
  std::unique_ptr<models::SmallDecoder> small_decoder_;
  std::unique_ptr<models::ClipVisual> clip_visual_;
  at::Tensor empty_prompt_;  ///< depends on nothing but the checkpoint
};

}  // namespace unianimate::family
