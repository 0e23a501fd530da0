#include "unianimate/pipeline/model_weights.h"

#include <algorithm>
#include <utility>

#include "unianimate/checkpoint/loading.h"

namespace unianimate::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFirstStage = "first_stage_model.";
constexpr const char* kVisual = "visual.";

checkpoint::LoadOptions whole_file() {
  return {};
}

checkpoint::LoadOptions first_stage_of(const fs::path& file) {
  checkpoint::LoadOptions how;
  how.prefix = autoencoder_prefix(file);
  return how;
}

checkpoint::LoadOptions visual_tower() {
  checkpoint::LoadOptions how;
  how.prefix = kVisual;
  return how;
}

checkpoint::LoadOptions text_tower() {
  checkpoint::LoadOptions how;
  how.ignored_prefixes = {kVisual};
  return how;
}

template <typename Model, typename Config>
std::unique_ptr<Model> load(const fs::path& file, const Config& config, const at::TensorOptions& options,
                            checkpoint::LoadOptions how, const Progress& progress) {
  how.progress = &progress;
  auto model = std::make_unique<Model>(config, options);
  checkpoint::load_into(checkpoint::open_checkpoint(file), model->named_parameters(), how).require_ok();
  return model;
}

template <typename Model, typename Config>
void compare(const fs::path& file, const Config& config, const checkpoint::LoadOptions& how) {
  const Model model(config, at::TensorOptions(at::kMeta));
  checkpoint::compare_names(checkpoint::open_checkpoint(file), model.named_parameters(), how).require_ok();
}

}  // namespace

models::Shapes shapes_of(const checkpoint::Checkpoint& checkpoint, std::string_view prefix) {
  models::Shapes shapes;
  for (const checkpoint::TensorEntry& entry : checkpoint.tensors()) {
    if (entry.name.starts_with(prefix)) shapes.emplace(entry.name.substr(prefix.size()), entry.shape);
  }
  return shapes;
}

std::string autoencoder_prefix(const fs::path& file) {
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(file);
  const bool whole =
      std::ranges::any_of(checkpoint.tensors(), [](const auto& entry) { return entry.name.starts_with(kFirstStage); });
  return whole ? kFirstStage : "";
}

void check_weights(const ModelFiles& files, const ModelConfigs& configs) {
  compare<models::UNet>(files.unet, configs.unet, whole_file());
  compare<models::Autoencoder>(files.autoencoder, configs.autoencoder, first_stage_of(files.autoencoder));
  compare<models::ClipVisual>(files.clip, configs.clip, visual_tower());
  compare<models::ClipText>(files.clip, configs.clip, text_tower());
}

std::unique_ptr<models::UNet> load_unet(const fs::path& file, const models::UNetConfig& config,
                                        const at::TensorOptions& options, const Progress& progress) {
  return load<models::UNet>(file, config, options, whole_file(), progress);
}

std::unique_ptr<models::Autoencoder> load_autoencoder(const fs::path& file, const models::AutoencoderConfig& config,
                                                      const at::TensorOptions& options, const Progress& progress) {
  return load<models::Autoencoder>(file, config, options, first_stage_of(file), progress);
}

std::unique_ptr<models::ClipVisual> load_clip_visual(const fs::path& file, const models::ClipConfig& config,
                                                     const at::TensorOptions& options, const Progress& progress) {
  return load<models::ClipVisual>(file, config, options, visual_tower(), progress);
}

std::unique_ptr<models::ClipText> load_clip_text(const fs::path& file, const models::ClipConfig& config,
                                                 const at::TensorOptions& options, const Progress& progress) {
  return load<models::ClipText>(file, config, options, text_tower(), progress);
}

}  // namespace unianimate::pipeline
