#include "unianimate/family/unianimate/model_sizes.h"

#include <utility>

namespace unianimate::family {

std::vector<ModelSize> sizes_of(const models::UNetConfig& config) {
  std::vector<ModelSize> sizes{{"dim", {config.dim}},
                               {"dim_mult", config.dim_mult},
                               {"num_res_blocks", {config.num_res_blocks}},
                               {"head_dim", {config.head_dim}},
                               {"num_heads", {config.num_heads}},
                               {"context_dim", {config.context_dim}},
                               {"num_tokens", {config.num_tokens}},
                               {"concat_dim", {config.concat_dim}}};
  if (config.temporal == models::TemporalKind::kMamba) {
    sizes.push_back({"temporal mamba d_state", {config.d_state}});
    sizes.push_back({"temporal mamba expand", {config.expand}});
  }
  return sizes;
}

std::vector<ModelSize> sizes_of(const models::AutoencoderConfig& config) {
  return {{"ch", {config.ch}},
          {"ch_mult", config.ch_mult},
          {"num_res_blocks", {config.num_res_blocks}},
          {"z_channels", {config.z_channels}}};
}

std::vector<ModelSize> sizes_of(const models::ClipConfig& config) {
  return {{"embed_dim", {config.embed_dim}},
          {"vision.width", {config.vision.width}},
          {"vision.layers", {config.vision.layers}},
          {"vision.image_size", {config.vision.image_size}},
          {"vision.patch_size", {config.vision.patch_size}},
          {"text.width", {config.text.width}},
          {"text.layers", {config.text.layers}},
          {"text.context_length", {config.text.context_length}}};
}

std::vector<ModelSize> sizes_of(const models::SmallDecoderConfig& config) {
  return {{"z_channels", {config.z_channels}}, {"widths", config.widths}};
}

std::vector<ModelSize> sizes_of(const ModelConfigs& configs) {
  std::vector<ModelSize> all{{"latent_channels", {models::UNetConfig::kLatentChannels}}};
  const auto add = [&](const std::string& section, std::vector<ModelSize> sizes) {
    for (ModelSize& size : sizes) all.push_back({section + size.name, std::move(size.values)});
  };
  add("unet.", sizes_of(configs.unet));
  add("autoencoder.", sizes_of(configs.autoencoder));
  add("clip.", sizes_of(configs.clip));
  return all;
}

}  // namespace unianimate::family
