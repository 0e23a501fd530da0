#include "unianimate/pipeline/model_weights.h"

#include <algorithm>
#include <utility>

#include "unianimate/checkpoint/loading.h"

namespace unianimate::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFirstStage = "first_stage_model.";
constexpr const char* kVisual = "visual.";

template <typename Model, typename Config>
std::unique_ptr<Model> load(const fs::path& file, const Config& config, const at::TensorOptions& options,
                            const checkpoint::LoadOptions& how) {
  auto model = std::make_unique<Model>(config, options);
  checkpoint::load_into(checkpoint::open_checkpoint(file), model->named_parameters(), how).require_ok();
  return model;
}

}  // namespace

std::string autoencoder_prefix(const fs::path& file) {
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(file);
  const bool whole =
      std::ranges::any_of(checkpoint.tensors(), [](const auto& entry) { return entry.name.starts_with(kFirstStage); });
  return whole ? kFirstStage : "";
}

std::unique_ptr<models::UNet> load_unet(const fs::path& file, const models::UNetConfig& config,
                                        const at::TensorOptions& options, const Progress& progress) {
  checkpoint::LoadOptions how;
  how.progress = &progress;
  return load<models::UNet>(file, config, options, how);
}

std::unique_ptr<models::Autoencoder> load_autoencoder(const fs::path& file, const models::AutoencoderConfig& config,
                                                      const at::TensorOptions& options, const Progress& progress) {
  checkpoint::LoadOptions how;
  how.prefix = autoencoder_prefix(file);
  how.progress = &progress;
  return load<models::Autoencoder>(file, config, options, how);
}

std::unique_ptr<models::ClipVisual> load_clip_visual(const fs::path& file, const models::ClipConfig& config,
                                                     const at::TensorOptions& options, const Progress& progress) {
  checkpoint::LoadOptions how;
  how.prefix = kVisual;
  how.progress = &progress;
  return load<models::ClipVisual>(file, config, options, how);
}

std::unique_ptr<models::ClipText> load_clip_text(const fs::path& file, const models::ClipConfig& config,
                                                 const at::TensorOptions& options, const Progress& progress) {
  checkpoint::LoadOptions how;
  how.ignored_prefixes = {kVisual};
  how.progress = &progress;
  return load<models::ClipText>(file, config, options, how);
}

}  // namespace unianimate::pipeline
