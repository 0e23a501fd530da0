#include "unianimate/family/unianimate/model_recognition.h"

#include <fmt/format.h>

#include <optional>
#include <system_error>

#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/family/unianimate/model_sizes.h"
#include "unianimate/family/unianimate/model_weights.h"
#include "unianimate/family/unianimate/small_decoder_file.h"
#include "unianimate/naming/model_naming.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

ModelConfigs described_sizes(const fs::path& file) {
  const fs::path description = file.parent_path() / "model.json";
  std::error_code ignored;
  return read_model_description(fs::exists(description, ignored) ? description : fs::path()).configs;
}

/// The sizes that the file's shapes and model.json tell.
models::UNetConfig config_of(const models::Shapes& shapes, const models::UNetConfig& described) {
  return models::unet_config_from_shapes(shapes, described);
}
models::AutoencoderConfig config_of(const models::Shapes& shapes, const models::AutoencoderConfig& described) {
  return models::autoencoder_config_from_shapes(shapes, described);
}
models::ClipConfig config_of(const models::Shapes& shapes, const models::ClipConfig& described) {
  return models::clip_config_from_shapes(shapes, described);
}

void note_other_latents(RecognisedModel& model, const fs::path& file, const models::AutoencoderConfig& described) {
  const std::optional<double> told = scaling_factor_beside(file);
  if (!told || *told == described.scale_factor) return;
  model.notes.push_back(fmt::format(
      "the config.json beside it says that its latents are scaled by {}, and {} is expected: a UNet that was "
      "trained on others cannot use it",
      *told, described.scale_factor));
}

template <typename Config>
void examine_as(RecognisedModel& model, const checkpoint::Checkpoint& checkpoint, const naming::ModelNaming& naming,
                const Config& described) {
  const Config config = config_of(shapes_of(checkpoint, naming), described);
  model.sizes = sizes_of(config);
  check_weights(checkpoint, naming, config);
}

}  // namespace

void examine_unianimate(const checkpoint::Checkpoint& checkpoint, const fs::path& file, RecognisedModel& model) {
  using naming::ModelRole;
  if (is_small_decoder(checkpoint)) {
    model.role = "small decoder";
    model.sizes = sizes_of(read_small_decoder_config(checkpoint));
    return;
  }
  for (const ModelRole role : {ModelRole::kUNet, ModelRole::kClip, ModelRole::kAutoencoder}) {
    const std::optional<naming::ModelNaming> naming = naming::find_naming(checkpoint, role);
    if (!naming) continue;
    model.role = label(role);
    model.prefix = naming->prefix;
    model.program = naming->program;
    if (!naming->note.empty()) model.notes.push_back(naming->note);
    const ModelConfigs described = described_sizes(file);
    switch (role) {
      case ModelRole::kUNet:
        return examine_as(model, checkpoint, *naming, described.unet);
      case ModelRole::kClip:
        return examine_as(model, checkpoint, *naming, described.clip);
      case ModelRole::kAutoencoder:
        note_other_latents(model, file, described.autoencoder);
        return examine_as(model, checkpoint, *naming, described.autoencoder);
    }
  }
}

}  // namespace unianimate::family
