#include "unianimate/family/unianimate/model_weights.h"

#include <optional>
#include <type_traits>
#include <utility>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/int8_weights.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

using naming::ModelNaming;
using naming::ModelRole;

constexpr std::string_view kVisualPrefix = "visual.";

/// Which of CLIP's two towers; none for another model.
enum class Tower : std::uint8_t { kNone, kVisual, kText };

/// `scales`: of the file's layers in 8 bits, which are no tensors of the model.
checkpoint::LoadOptions how_to_load(const ModelNaming& naming, Tower tower, const Int8Scales& scales) {
  checkpoint::LoadOptions how;
  how.place = [naming, tower,
               has_scales = !scales.empty()](std::string_view key) -> std::optional<checkpoint::Placement> {
    if (has_scales && key.ends_with(kScaleSuffix)) return std::nullopt;
    std::optional<checkpoint::Placement> placement = naming.place(key);
    if (!placement || tower == Tower::kNone) return placement;
    if (placement->name.starts_with(kVisualPrefix) != (tower == Tower::kVisual)) return std::nullopt;
    if (tower == Tower::kVisual) placement->name.erase(0, kVisualPrefix.size());
    return placement;
  };
  return how;
}

template <typename Model, typename Config>
std::unique_ptr<Model> load(const fs::path& file, ModelRole role, Tower tower, const Config& config,
                            const WeightOptions& options, Progress& progress) {
  const checkpoint::Checkpoint opened = checkpoint::open_checkpoint(file);
  const ModelNaming naming = naming::require_naming(opened, role);
  const Int8Scales scales = role == ModelRole::kUNet ? read_int8_scales(opened, naming) : Int8Scales();
  checkpoint::LoadOptions how = how_to_load(naming, tower, scales);
  how.require_finite = !options.allow_nonfinite;
  how.progress = &progress;
  auto model = std::make_unique<Model>(config, options.tensors);
  const checkpoint::LoadReport report = checkpoint::load_into(opened, model->named_parameters(), how);
  report.require_ok();
  note_nonfinite(report, progress);
  if constexpr (std::is_same_v<Model, models::UNet>) apply_int8_scales(*model, scales, options.int8);
  return model;
}

template <typename Model, typename Config>
void compare(const checkpoint::Checkpoint& file, const ModelNaming& naming, Tower tower, const Config& config) {
  const Model model(config, at::TensorOptions(at::kMeta));
  const Int8Scales scales = std::is_same_v<Model, models::UNet> ? read_int8_scales(file, naming) : Int8Scales();
  checkpoint::compare_names(file, model.named_parameters(), how_to_load(naming, tower, scales)).require_ok();
}

}  // namespace

void note_nonfinite(const checkpoint::LoadReport& report, Progress& progress) {
  if (report.nonfinite.empty()) return;
  progress.note(
      fmt::format("{}: {}; they are used as they are", printable(report.file), checkpoint::sentence(report.nonfinite)));
}

models::Shapes shapes_of(const checkpoint::Checkpoint& checkpoint, const ModelNaming& naming) {
  models::Shapes shapes;
  for (const checkpoint::TensorEntry& entry : checkpoint.tensors()) {
    const std::optional<checkpoint::Placement> placement = naming.place(entry.name);
    if (!placement) continue;
    checkpoint::Shape shape = entry.shape;
    if (placement->transposed && shape.size() == 2) std::swap(shape[0], shape[1]);
    if (!shape.empty()) shape[0] *= placement->parts;
    shapes.emplace(placement->name, std::move(shape));
  }
  return shapes;
}

void check_weights(const checkpoint::Checkpoint& file, const ModelNaming& naming, const models::UNetConfig& config) {
  compare<models::UNet>(file, naming, Tower::kNone, config);
}

void check_weights(const checkpoint::Checkpoint& file, const ModelNaming& naming,
                   const models::AutoencoderConfig& config) {
  compare<models::Autoencoder>(file, naming, Tower::kNone, config);
}

void check_weights(const checkpoint::Checkpoint& file, const ModelNaming& naming, const models::ClipConfig& config) {
  compare<models::ClipVisual>(file, naming, Tower::kVisual, config);
  compare<models::ClipText>(file, naming, Tower::kText, config);
}

std::unique_ptr<models::UNet> load_unet(const fs::path& file, const models::UNetConfig& config,
                                        const WeightOptions& options, Progress& progress) {
  return load<models::UNet>(file, ModelRole::kUNet, Tower::kNone, config, options, progress);
}

std::unique_ptr<models::Autoencoder> load_autoencoder(const fs::path& file, const models::AutoencoderConfig& config,
                                                      const WeightOptions& options, Progress& progress) {
  return load<models::Autoencoder>(file, ModelRole::kAutoencoder, Tower::kNone, config, options, progress);
}

std::unique_ptr<models::ClipVisual> load_clip_visual(const fs::path& file, const models::ClipConfig& config,
                                                     const WeightOptions& options, Progress& progress) {
  return load<models::ClipVisual>(file, ModelRole::kClip, Tower::kVisual, config, options, progress);
}

std::unique_ptr<models::ClipText> load_clip_text(const fs::path& file, const models::ClipConfig& config,
                                                 const WeightOptions& options, Progress& progress) {
  return load<models::ClipText>(file, ModelRole::kClip, Tower::kText, config, options, progress);
}

}  // namespace unianimate::family
