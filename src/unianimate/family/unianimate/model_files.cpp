#include "unianimate/family/unianimate/model_files.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/error.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/family/unianimate/int8_weights.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/family/unianimate/model_weights.h"
#include "unianimate/naming/model_naming.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

/// A file by its published name, and where and under which names other programs keep the same model.
struct KnownFile {
  const char* role;
  const char* name;
  bool needed_to_animate;
  std::vector<const char*> folders;  ///< below the models folder
  std::vector<const char*> stems;    ///< names without their suffix, in the models folder and in those folders
  bool sole_file = false;            ///< whether the only checkpoint in one of those folders is it, whatever its name
};

const std::array<KnownFile, 6>& known_files() {
  static const std::array<KnownFile, 6> files{{
      {"UNet",
       "unianimate_16f_32f_non_ema_223000.pth",
       true,
       {"unet", "diffusion_models", "checkpoints"},
       {"diffusion_pytorch_model"},
       true},
      {"autoencoder",
       "v2-1_512-ema-pruned.ckpt",
       true,
       {"vae", "checkpoints"},
       {"vae-ft-mse-840000-ema-pruned", "vae-ft-ema-560000-ema-pruned", "v2-1_512-nonema-pruned", "v2-1_768-ema-pruned",
        "v2-1_768-nonema-pruned", "diffusion_pytorch_model"},
       true},
      {"CLIP",
       "open_clip_pytorch_model.bin",
       true,
       {"clip_vision", "clip", "image_encoder", "text_encoders", "CLIP-ViT-H-14-laion2B-s32B-b79K"},
       {"open_clip_model", "CLIP-ViT-H-14-laion2B-s32B-b79K", "model", "pytorch_model"},
       true},
      {"small decoder", "small_decoder.safetensors", false, {"vae"}, {}},
      {"person detector", "yolox_l.onnx", false, {}, {}},
      {"pose estimator", "dw-ll_ucoco_384.onnx", false, {}, {}},
  }};
  return files;
}

/// In the order of preference; reduced precision comes last.
constexpr std::array<const char*, 10> kSuffixes{
    ".safetensors",      ".safetensors.index.json",      ".bin",     ".bin.index.json", ".ckpt", ".pth", ".pt",
    ".fp16.safetensors", ".safetensors.index.fp16.json", ".fp16.bin"};
/// Of a file that may have any name.
constexpr std::array<const char*, 5> kCheckpointSuffixes{".safetensors", ".bin", ".ckpt", ".pth", ".pt"};
/// Names that say nothing without the folder that they lie in.
constexpr std::array<std::string_view, 3> kNeedFolder{"diffusion_pytorch_model", "model", "pytorch_model"};

std::optional<fs::path> first_file(const std::vector<fs::path>& candidates) {
  const auto found = std::ranges::find_if(candidates, [](const fs::path& candidate) {
    std::error_code ignored;
    return fs::is_regular_file(candidate, ignored);
  });
  return found == candidates.end() ? std::nullopt : std::optional(*found);
}

/// The only checkpoint in `folder`, whatever else that is known by its name lies there.
std::optional<fs::path> sole_checkpoint(const fs::path& folder) {
  std::optional<fs::path> sole;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    std::error_code ignored;
    const fs::path& file = entry->path();
    if (!entry->is_regular_file(ignored) || std::ranges::count(kCheckpointSuffixes, file.extension()) == 0) continue;
    if (std::ranges::any_of(known_files(), [&](const KnownFile& known) { return file.filename() == known.name; })) {
      continue;
    }
    if (sole) return std::nullopt;
    sole = file;
  }
  return sole;
}

std::optional<fs::path> find_in(const fs::path& folder, const KnownFile& file) {
  std::vector<fs::path> places{folder};
  for (const char* below : file.folders) places.push_back(folder / below);
  std::vector<fs::path> candidates;
  for (const fs::path& place : places) {
    candidates.push_back((place / file.name).replace_extension(".safetensors"));
    candidates.push_back(place / file.name);
  }
  for (const char* stem : file.stems) {
    for (const fs::path& place : places) {
      if (place == folder && std::ranges::count(kNeedFolder, stem) > 0) continue;
      for (const char* suffix : kSuffixes) candidates.push_back(place / (std::string(stem) + suffix));
    }
  }
  std::optional<fs::path> found = first_file(candidates);
  // A folder "checkpoints" may hold models of every kind.
  for (std::size_t i = 1; !found && file.sole_file && i < places.size(); ++i) {
    if (places[i].filename() != "checkpoints") found = sole_checkpoint(places[i]);
  }
  return found;
}

/// Works the sizes out from the shapes, and compares every name and shape with them; notes how the file is read.
template <typename FromShapes>
auto read_config(const fs::path& file, naming::ModelRole role, std::vector<std::string>& notes,
                 FromShapes&& from_shapes) {
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(file);
  const naming::ModelNaming naming = naming::require_naming(checkpoint, role);
  if (!naming.note.empty()) notes.push_back(naming.note);
  try {
    return from_shapes(shapes_of(checkpoint, naming));
  } catch (const Error& error) {
    throw Error(ErrorKind::kInput, "{}: {}", printable(file.string()), error.what());
  }
}

template <typename Config>
void check_file(const fs::path& file, naming::ModelRole role, const Config& config) {
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(file);
  check_weights(checkpoint, naming::require_naming(checkpoint, role), config);
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
    return (folder / known_files().at(index).name).replace_extension(".safetensors");
  };
  return {file(0), file(1), file(2), folder / "model.json", file(3)};
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
  for (const KnownFile& file : known_files()) {
    const bool denoises = &file == &known_files().front();
    files.push_back({file.role, file.name, find_in(folder, file), file.needed_to_animate, denoises});
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
    throw Error(ErrorKind::kInput,
                "the models folder {} lacks {}; the suffix may also be .safetensors, and other programs' names and "
                "folders are known (docs/formats.md, \"Checkpoints\")",
                printable(folder.string()), fmt::join(missing, ", "));
  }
  ModelFiles files{*published[0].found, *published[1].found, *published[2].found, {}, published[3].found.value_or("")};
  std::error_code ignored;
  if (fs::exists(folder / "model.json", ignored)) files.description = folder / "model.json";
  return files;
}

ModelConfigs read_model_configs(const ModelFiles& files) {
  const ModelDescription description = read_model_description(files.description);
  const ModelConfigs& described = description.configs;
  ModelConfigs configs;
  configs.unet = read_config(files.unet, naming::ModelRole::kUNet, configs.notes, [&](const models::Shapes& shapes) {
    return models::unet_config_from_shapes(shapes, described.unet);
  });
  configs.autoencoder =
      read_config(files.autoencoder, naming::ModelRole::kAutoencoder, configs.notes, [&](const models::Shapes& shapes) {
        return models::autoencoder_config_from_shapes(shapes, described.autoencoder);
      });
  configs.clip = read_config(files.clip, naming::ModelRole::kClip, configs.notes, [&](const models::Shapes& shapes) {
    return models::clip_config_from_shapes(shapes, described.clip);
  });
  description.require_agreement(configs, files);
  description.require_scaling_factor(files.autoencoder);
  configs.unet.check();
  configs.autoencoder.check();
  configs.clip.check();
  require_models_fit_together(configs);
  configs.unet_int8_elements = count_int8_weights(checkpoint::open_checkpoint(files.unet));
  check_file(files.unet, naming::ModelRole::kUNet, configs.unet);
  check_file(files.autoencoder, naming::ModelRole::kAutoencoder, configs.autoencoder);
  check_file(files.clip, naming::ModelRole::kClip, configs.clip);
  return configs;
}

}  // namespace unianimate::family
