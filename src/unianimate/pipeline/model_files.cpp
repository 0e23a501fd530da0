#include "unianimate/pipeline/model_files.h"

#include <array>
#include <string_view>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/error.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/models/checkpoint_shapes.h"
#include "unianimate/pipeline/model_description.h"
#include "unianimate/pipeline/model_weights.h"

namespace unianimate::pipeline {

namespace fs = std::filesystem;

namespace {

struct PublishedName {
  const char* role;
  const char* name;
  bool needed_to_animate;
};

constexpr std::array<PublishedName, 5> kPublished{{{"UNet", "unianimate_16f_32f_non_ema_223000.pth", true},
                                                   {"autoencoder", "v2-1_512-ema-pruned.ckpt", true},
                                                   {"CLIP", "open_clip_pytorch_model.bin", true},
                                                   {"person detector", "yolox_l.onnx", false},
                                                   {"pose estimator", "dw-ll_ucoco_384.onnx", false}}};

std::optional<fs::path> find_in(const fs::path& folder, const char* published_name) {
  const fs::path published = folder / published_name;
  for (const fs::path& candidate : {fs::path(published).replace_extension(".safetensors"), published}) {
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) return candidate;
  }
  return std::nullopt;
}

/// Runs `read` on the shapes of the file; an error then says which file it is about.
template <typename Read>
auto from_shapes_of(const fs::path& file, std::string_view prefix, Read&& read) {
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(file);
  try {
    return read(shapes_of(checkpoint, prefix));
  } catch (const Error& error) {
    throw Error(ErrorKind::kInput, "{}: {}", file.string(), error.what());
  }
}

void require_models_fit_together(const ModelConfigs& configs) {
  const auto require = [](std::int64_t one, const char* what, std::int64_t other, const char* what_other) {
    if (one == other) return;
    throw Error(ErrorKind::kInput, "these models do not belong together: {} is {}, but {} is {}", what, one, what_other,
                other);
  };
  require(configs.unet.context_dim, "the UNet's context_dim", configs.clip.embed_dim, "CLIP's embed_dim");
  require(configs.unet.context_dim, "the UNet's context_dim", configs.clip.text.width, "CLIP's text width");
  require(models::UNetConfig::kLatentChannels, "the UNet's number of latent channels", configs.autoencoder.z_channels,
          "the autoencoder's z_channels");
}

}  // namespace

ModelFiles model_files_to_write(const fs::path& folder) {
  const auto file = [&](std::size_t index) {
    return (folder / kPublished.at(index).name).replace_extension(".safetensors");
  };
  return {file(0), file(1), file(2), folder / "model.json"};
}

std::vector<PublishedFile> list_published_files(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw Error(ErrorKind::kInput,
                "there is no models folder {}; put the published checkpoints there (README, \"The "
                "published checkpoints\") or name another with --models{}",
                printable(folder.string()), path_hint(folder));
  }
  std::vector<PublishedFile> files;
  for (const PublishedName& published : kPublished) {
    files.push_back({published.role, published.name, find_in(folder, published.name), published.needed_to_animate});
  }
  return files;
}

ModelFiles find_model_files(const fs::path& folder) {
  const std::vector<PublishedFile> published = list_published_files(folder);
  std::vector<std::string> missing;
  for (const PublishedFile& file : published) {
    if (file.needed_to_animate && !file.found)
      missing.push_back(fmt::format("{} ({})", file.published_name, file.role));
  }
  if (!missing.empty()) {
    throw Error(ErrorKind::kInput, "the models folder {} lacks {}; the suffix may also be .safetensors",
                folder.string(), fmt::join(missing, ", "));
  }
  ModelFiles files{*published[0].found, *published[1].found, *published[2].found, {}};
  std::error_code ignored;
  if (fs::exists(folder / "model.json", ignored)) files.description = folder / "model.json";
  return files;
}

ModelConfigs read_model_configs(const ModelFiles& files) {
  const ModelDescription description = read_model_description(files.description);
  const ModelConfigs& described = description.configs;
  ModelConfigs configs;
  configs.unet = from_shapes_of(files.unet, "", [&](const models::Shapes& shapes) {
    return models::unet_config_from_shapes(shapes, described.unet);
  });
  configs.autoencoder =
      from_shapes_of(files.autoencoder, autoencoder_prefix(files.autoencoder), [&](const models::Shapes& shapes) {
        return models::autoencoder_config_from_shapes(shapes, described.autoencoder);
      });
  configs.clip = from_shapes_of(files.clip, "", [&](const models::Shapes& shapes) {
    return models::clip_config_from_shapes(shapes, described.clip);
  });
  description.require_agreement(configs, files);
  configs.unet.check();
  configs.autoencoder.check();
  configs.clip.check();
  require_models_fit_together(configs);
  check_weights(files, configs);
  return configs;
}

}  // namespace unianimate::pipeline
