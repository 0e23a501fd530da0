#include "support/rule_models.h"

#include <nlohmann/json.hpp>

#include "support/rule.h"
#include "support/torch_zip_writer.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/output_file.h"
#include "unianimate/family/unianimate/small_decoder_file.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::testing {

namespace {

const std::string kFirstStage = "first_stage_model.";

std::vector<TorchTensorSpec> specs_of(const NamedTensors& tensors, const std::string& prefix) {
  std::vector<TorchTensorSpec> specs;
  for (const auto& [name, tensor] : tensors) specs.push_back({prefix + name, tensor.sizes().vec()});
  return specs;
}

nlohmann::json description(const family::ModelConfigs& configs) {
  const models::UNetConfig& unet = configs.unet;
  const models::AutoencoderConfig& autoencoder = configs.autoencoder;
  const models::ClipConfig& clip = configs.clip;
  return {{"unet",
           {{"dim", unet.dim},
            {"head_dim", unet.head_dim},
            {"context_dim", unet.context_dim},
            {"dim_mult", unet.dim_mult},
            {"num_res_blocks", unet.num_res_blocks},
            {"num_heads", unet.num_heads},
            {"num_tokens", unet.num_tokens},
            {"concat_dim", unet.concat_dim},
            {"norm_groups", unet.norm_groups}}},
          {"autoencoder",
           {{"ch", autoencoder.ch},
            {"ch_mult", autoencoder.ch_mult},
            {"num_res_blocks", autoencoder.num_res_blocks},
            {"z_channels", autoencoder.z_channels},
            {"norm_groups", autoencoder.norm_groups},
            {"scale_factor", autoencoder.scale_factor}}},
          {"clip",
           {{"embed_dim", clip.embed_dim},
            {"vision",
             {{"width", clip.vision.width},
              {"layers", clip.vision.layers},
              {"heads", clip.vision.heads},
              {"mlp_ratio", clip.vision.mlp_ratio},
              {"image_size", clip.vision.image_size},
              {"patch_size", clip.vision.patch_size}}},
            {"text",
             {{"width", clip.text.width},
              {"layers", clip.text.layers},
              {"heads", clip.text.heads},
              {"context_length", clip.text.context_length},
              {"vocab_size", clip.text.vocab_size}}}}}};
}

}  // namespace

family::ModelConfigs small_model_configs() {
  family::ModelConfigs configs;
  configs.unet.dim = 32;
  configs.unet.head_dim = 16;
  configs.unet.context_dim = 64;
  configs.autoencoder.ch = 32;
  configs.clip.embed_dim = 64;
  configs.clip.vision.width = 64;
  configs.clip.vision.layers = 2;
  configs.clip.vision.heads = 4;
  configs.clip.text.width = 64;
  configs.clip.text.layers = 3;
  configs.clip.text.heads = 4;
  return configs;
}

family::ModelConfigs tiny_model_configs() {
  family::ModelConfigs configs;
  configs.unet.dim = 16;
  configs.unet.dim_mult = {1, 2};
  configs.unet.num_res_blocks = 1;
  configs.unet.head_dim = 8;
  configs.unet.num_heads = 2;
  configs.unet.context_dim = 32;
  configs.unet.norm_groups = 8;
  configs.autoencoder.ch = 16;
  configs.autoencoder.ch_mult = {1, 1, 1, 1};
  configs.autoencoder.num_res_blocks = 1;
  configs.autoencoder.norm_groups = 8;
  configs.clip.embed_dim = 32;
  configs.clip.vision.width = 32;
  configs.clip.vision.layers = 1;
  configs.clip.vision.heads = 2;
  configs.clip.vision.image_size = 28;
  configs.clip.text.width = 32;
  configs.clip.text.layers = 2;
  configs.clip.text.heads = 2;
  configs.clip.text.vocab_size = 3;
  return configs;
}

void write_rule_models(const std::filesystem::path& folder, const family::ModelConfigs& configs) {
  const at::TensorOptions shapes_only(at::kMeta);
  const MakeTensor by_rule = [](const TorchTensorSpec& spec) {
    const bool first_stage = spec.name.starts_with(kFirstStage);
    return rule_weight(first_stage ? spec.name.substr(kFirstStage.size()) : spec.name, spec.shape);
  };
  const models::UNet unet(configs.unet, shapes_only);
  write_torch_zip(folder / "unianimate_16f_32f_non_ema_223000.pth", specs_of(unet.named_parameters(), ""), by_rule,
                  {.step = 223000});

  const models::Autoencoder autoencoder(configs.autoencoder, shapes_only);
  write_torch_zip(folder / "v2-1_512-ema-pruned.ckpt", specs_of(autoencoder.named_parameters(), kFirstStage), by_rule,
                  {.step = {}, .lightning = true});

  const models::ClipText text(configs.clip, shapes_only);
  const models::ClipVisual visual(configs.clip, shapes_only);
  std::vector<TorchTensorSpec> clip = specs_of(text.named_parameters(), "");
  for (TorchTensorSpec& spec : specs_of(visual.named_parameters(), "visual.")) clip.push_back(std::move(spec));
  write_torch_zip(folder / "open_clip_pytorch_model.bin", clip, by_rule);

  write_file_atomically(folder / "model.json", description(configs).dump(2) + "\n");
}

void write_rule_small_decoder(const std::filesystem::path& folder, const std::filesystem::path& file) {
  const family::ModelFiles files = family::find_model_files(folder);
  const models::AutoencoderConfig config = family::read_model_configs(files).autoencoder;
  Progress silent;
  const auto autoencoder = family::load_autoencoder(files.autoencoder, config, {}, silent);
  const models::SmallDecoder decoder(models::small_decoder_for(config), at::TensorOptions());
  fill_by_rule(decoder.named_parameters());
  checkpoint::save_safetensors(file, decoder.named_parameters(), family::small_decoder_metadata(*autoencoder));
}

}  // namespace unianimate::testing
