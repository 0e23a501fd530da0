#include "unianimate/cli/model_recognition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "unianimate/core/error.h"
#include "unianimate/pipeline/model_description.h"
#include "unianimate/pipeline/model_weights.h"

namespace unianimate::cli {

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

pipeline::ModelConfigs described_sizes(const fs::path& file) {
  const fs::path description = file.parent_path() / "model.json";
  std::error_code ignored;
  return pipeline::read_model_description(fs::exists(description, ignored) ? description : fs::path()).configs;
}

/// Fills role and sizes, then loads.
void examine(RecognisedModel& model, const checkpoint::Checkpoint& checkpoint, const fs::path& file,
             const Progress& progress) {
  const at::TensorOptions without_memory(at::kMeta);
  const auto has = [&](std::string_view name) { return checkpoint.find(name) != nullptr; };
  if (has("time_embed.0.weight") && has("dwpose_embedding.5.weight")) {
    model.role = "UNet";
    const auto config =
        models::unet_config_from_shapes(pipeline::shapes_of(checkpoint, ""), described_sizes(file).unet);
    model.sizes = sizes_of(config);
    pipeline::load_unet(file, config, without_memory, progress);
  } else if (has("visual.conv1.weight") && has("token_embedding.weight")) {
    model.role = "CLIP";
    const auto config =
        models::clip_config_from_shapes(pipeline::shapes_of(checkpoint, ""), described_sizes(file).clip);
    model.sizes = sizes_of(config);
    pipeline::load_clip_visual(file, config, without_memory, progress);
    pipeline::load_clip_text(file, config, without_memory, progress);
  } else if (const std::string prefix = pipeline::autoencoder_prefix(file); has(prefix + "decoder.conv_in.weight")) {
    model.role = "autoencoder";
    const auto config = models::autoencoder_config_from_shapes(pipeline::shapes_of(checkpoint, prefix),
                                                               described_sizes(file).autoencoder);
    model.sizes = sizes_of(config);
    pipeline::load_autoencoder(file, config, without_memory, progress);
  }
}

}  // namespace

RecognisedModel recognise_model(const checkpoint::Checkpoint& checkpoint, const fs::path& file,
                                const Progress& progress) {
  RecognisedModel model;
  try {
    examine(model, checkpoint, file, progress);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    model.problem = error.what();
  }
  return model;
}

}  // namespace unianimate::cli
