// The models of one set of files that are in memory at the moment.
#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "unianimate/core/progress.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/family/unianimate/model_weights.h"

namespace unianimate::family {

/// Each is loaded when it is first needed and stays until it is freed. Loading throws as load_unet() and add_loras()
/// do.
class LoadedModels {
 public:
  LoadedModels(ModelFiles files, ModelConfigs configs, RuntimeOptions options);

  [[nodiscard]] const ModelConfigs& configs() const { return configs_; }
  [[nodiscard]] const RuntimeOptions& options() const { return options_; }
  [[nodiscard]] at::Tensor on_device(const at::Tensor& x) const { return x.to(options_.compute.device); }

  const models::UNet& unet(Progress& progress);
  const models::Autoencoder& autoencoder(Progress& progress);
  const models::ClipVisual& clip_visual(Progress& progress);
  /// The embedding of ""; its tower is not kept.
  const at::Tensor& empty_prompt(Progress& progress);

  void free_unet() { unet_.reset(); }
  void free_autoencoder() { autoencoder_.reset(); }
  void free_clip_visual() { clip_visual_.reset(); }

 private:
  [[nodiscard]] WeightOptions weights() const;

  ModelFiles files_;
  ModelConfigs configs_;
  RuntimeOptions options_;
  std::unique_ptr<models::UNet> unet_;
  std::unique_ptr<models::Autoencoder> autoencoder_;
  std::unique_ptr<models::ClipVisual> clip_visual_;
  at::Tensor empty_prompt_;  ///< depends on nothing but the checkpoint
};

}  // namespace unianimate::family
