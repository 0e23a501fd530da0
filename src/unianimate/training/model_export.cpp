#include "unianimate/training/model_export.h"

#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/output_file.h"

namespace unianimate::training {

namespace fs = std::filesystem;

void export_model(const fs::path& folder, const pipeline::ModelDescription& description, const ModelWeights& weights) {
  make_folder(folder);
  const pipeline::ModelFiles files = pipeline::model_files_to_write(folder);
  const auto save = [](const fs::path& path, const NamedTensors& tensors) {
    if (!tensors.empty()) checkpoint::save_safetensors(path, tensors);
  };
  save(files.unet, weights.unet);
  save(files.autoencoder, weights.autoencoder);
  save(files.clip, weights.clip);
  save(folder / "lora.safetensors", weights.lora);
  pipeline::write_model_description(files.description, description);
}

NamedTensors prefixed(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors named;
  for (const auto& [name, tensor] : tensors) named.push_back({prefix + name, tensor});
  return named;
}

}  // namespace unianimate::training
