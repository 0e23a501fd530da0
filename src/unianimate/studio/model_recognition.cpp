#include "unianimate/studio/model_recognition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/family/unianimate/model_weights.h"
#include "unianimate/naming/model_naming.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

using Sizes = std::vector<std::pair<std::string, std::string>>;

std::string list_text(const std::vector<std::int64_t>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

Sizes sizes_of(const models::UNetConfig& config) {
  return {{"dim", std::to_string(config.dim)},
          {"dim_mult", list_text(config.dim_mult)},
          {"num_res_blocks", std::to_string(config.num_res_blocks)},
          {"head_dim", std::to_string(config.head_dim)},
          {"num_heads", std::to_string(config.num_heads)},
          {"context_dim", std::to_string(config.context_dim)},
          {"num_tokens", std::to_string(config.num_tokens)},
          {"concat_dim", std::to_string(config.concat_dim)}};
}

Sizes sizes_of(const models::AutoencoderConfig& config) {
  return {{"ch", std::to_string(config.ch)},
          {"ch_mult", list_text(config.ch_mult)},
          {"num_res_blocks", std::to_string(config.num_res_blocks)},
          {"z_channels", std::to_string(config.z_channels)}};
}

Sizes sizes_of(const models::ClipConfig& config) {
  return {{"embed_dim", std::to_string(config.embed_dim)},
          {"vision.width", std::to_string(config.vision.width)},
          {"vision.layers", std::to_string(config.vision.layers)},
          {"vision.image_size", std::to_string(config.vision.image_size)},
          {"vision.patch_size", std::to_string(config.vision.patch_size)},
          {"text.width", std::to_string(config.text.width)},
          {"text.layers", std::to_string(config.text.layers)},
          {"text.context_length", std::to_string(config.text.context_length)}};
}

family::ModelConfigs described_sizes(const fs::path& file) {
  const fs::path description = file.parent_path() / "model.json";
  std::error_code ignored;
  return family::read_model_description(fs::exists(description, ignored) ? description : fs::path()).configs;
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

template <typename Config>
void examine_as(RecognisedModel& model, const checkpoint::Checkpoint& checkpoint, const naming::ModelNaming& naming,
                const Config& described) {
  const Config config = config_of(family::shapes_of(checkpoint, naming), described);
  model.sizes = sizes_of(config);
  family::check_weights(checkpoint, naming, config);
}

/// Fills in what names and shapes tell.
void examine(RecognisedModel& model, const checkpoint::Checkpoint& checkpoint, const fs::path& file) {
  using naming::ModelRole;
  for (const ModelRole role : {ModelRole::kUNet, ModelRole::kClip, ModelRole::kAutoencoder}) {
    const std::optional<naming::ModelNaming> naming = naming::find_naming(checkpoint, role);
    if (!naming) continue;
    model.role = label(role);
    model.prefix = naming->prefix;
    model.program = naming->program;
    if (!naming->note.empty()) model.notes.push_back(naming->note);
    const family::ModelConfigs described = described_sizes(file);
    switch (role) {
      case ModelRole::kUNet:
        return examine_as(model, checkpoint, *naming, described.unet);
      case ModelRole::kClip:
        return examine_as(model, checkpoint, *naming, described.clip);
      case ModelRole::kAutoencoder:
        return examine_as(model, checkpoint, *naming, described.autoencoder);
    }
  }
}

/// Compares every checksum and refuses values that are not finite.
void read_everything(const checkpoint::Checkpoint& checkpoint, const Progress& progress) {
  checkpoint.verify_other_members();
  std::vector<checkpoint::NonFinite> found;
  for (const std::size_t i : checkpoint.file_order()) {
    progress.throw_if_cancelled();
    const checkpoint::TensorEntry& entry = checkpoint.tensors()[i];
    const auto nonfinite = checkpoint::find_nonfinite(checkpoint, entry, checkpoint::scalar_type(entry.type));
    if (nonfinite) found.push_back(*nonfinite);
  }
  if (!found.empty()) throw checkpoint.file().refusal("{}", checkpoint::sentence(found));
}

}  // namespace

RecognisedModel recognise_model(const checkpoint::Checkpoint& checkpoint, const fs::path& file,
                                const Progress& progress) {
  RecognisedModel model;
  try {
    examine(model, checkpoint, file);
    read_everything(checkpoint, progress);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    model.problem = error.what();
  }
  return model;
}

}  // namespace unianimate::studio
