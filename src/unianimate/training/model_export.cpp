#include "unianimate/training/model_export.h"

#include <algorithm>
#include <array>

#include "unianimate/core/output_file.h"
#include "unianimate/core/output_folder.h"
#include "unianimate/core/output_rule.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLoraFile = "lora.safetensors";

std::array<fs::path, 6> files_in(const fs::path& folder) {
  const family::ModelFiles files = family::model_files_to_write(folder);
  return {files.unet, files.autoencoder, files.clip, files.description, files.small_decoder, folder / kLoraFile};
}

bool is_exported(const fs::path& file) {
  return std::ranges::count(files_in(file.parent_path()), file) > 0 && is_own_file(file);
}

}  // namespace

fs::path model_folder(const fs::path& wanted) {
  return own_folder(wanted, [](const fs::path& folder) {
    std::error_code ignored;
    return fs::is_directory(folder, ignored) && std::ranges::all_of(files_in(folder), [&](const fs::path& file) {
             return !fs::exists(file, ignored) || is_own_file(file);
           });
  });
}

void export_model(const fs::path& folder, const family::ModelDescription& description, const ModelWeights& weights) {
  make_folder(fs::absolute(without_trailing_separator(folder)).parent_path());
  OutputFolder output(folder, is_exported);
  const family::ModelFiles files = family::model_files_to_write(output.temporary());
  const auto save = [](const fs::path& path, const NamedTensors& tensors, const checkpoint::Metadata& metadata = {}) {
    if (!tensors.empty()) checkpoint::save_safetensors(path, tensors, checkpoint::marked(metadata));
  };
  save(files.unet, weights.unet, weights.denoiser_metadata);
  save(files.autoencoder, weights.autoencoder);
  save(files.clip, weights.clip);
  save(output.temporary() / kLoraFile, weights.lora, weights.denoiser_metadata);
  if (!weights.small_decoder.empty()) {
    checkpoint::save_safetensors(files.small_decoder, weights.small_decoder,
                                 checkpoint::marked(weights.small_decoder_metadata), at::kHalf);
  }
  family::write_model_description(files.description, description);
  output.commit();
}

NamedTensors prefixed(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors named;
  for (const auto& [name, tensor] : tensors) named.push_back({prefix + name, tensor});
  return named;
}

}  // namespace unianimate::training
