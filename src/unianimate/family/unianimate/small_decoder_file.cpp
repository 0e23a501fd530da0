#include "unianimate/family/unianimate/small_decoder_file.h"

#include <fmt/format.h>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/content_hash.h"
#include "unianimate/core/error.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

/// The metadata's fields. The format of today is kFormat.
constexpr const char* kFormatField = "small_decoder";
constexpr const char* kAutoencoderField = "autoencoder";
constexpr const char* kFormat = "1";

std::string_view field(const checkpoint::Checkpoint& file, const char* name) {
  const auto found = file.metadata().find(name);
  return found == file.metadata().end() ? std::string_view() : std::string_view(found->second);
}

/// Whether a parameter of the autoencoder has a say in what it makes of latents.
bool decodes(std::string_view parameter) {
  return parameter.starts_with("decoder.") || parameter.starts_with("post_quant_conv.");
}

}  // namespace

std::string decoder_hash(const models::Autoencoder& autoencoder) {
  std::string text = fmt::format("scale_factor {}\n", autoencoder.config().scale_factor);
  for (const auto& [name, tensor] : autoencoder.named_parameters()) {
    if (!decodes(name)) continue;
    const at::Tensor rounded = tensor.detach().to(at::kCPU, at::kBFloat16).contiguous();
    const std::string_view bytes(static_cast<const char*>(rounded.const_data_ptr()), rounded.nbytes());
    text += fmt::format("{} {}\n", name, content_hash_of(bytes));
  }
  return content_hash_of(text);
}

checkpoint::Metadata small_decoder_metadata(const models::Autoencoder& autoencoder) {
  return {{kFormatField, kFormat}, {kAutoencoderField, decoder_hash(autoencoder)}};
}

bool is_small_decoder(const checkpoint::Checkpoint& file) {
  return !field(file, kFormatField).empty();
}

models::SmallDecoderConfig read_small_decoder_config(const checkpoint::Checkpoint& file) {
  if (field(file, kFormatField) != kFormat) {
    throw file.file().refusal(
        "this is no small decoder that this program knows; it is made by 'unianimate train' with "
        "task: small_decoder (docs/training.md)");
  }
  models::Shapes shapes;
  for (const checkpoint::TensorEntry& entry : file.tensors()) shapes.emplace(entry.name, entry.shape);
  try {
    models::SmallDecoderConfig config = models::small_decoder_config_from_shapes(shapes);
    const models::SmallDecoder model(config, at::TensorOptions(at::kMeta));
    checkpoint::compare_names(file, model.named_parameters()).require_ok();
    return config;
  } catch (const Error& error) {
    throw Error(ErrorKind::kInput, "{}: {}", printable(file.file_name()), error.what());
  }
}

void require_small_decoder_fits(const ModelFiles& files, const models::AutoencoderConfig& config,
                                bool allow_nonfinite) {
  const checkpoint::Checkpoint file = checkpoint::open_checkpoint(files.small_decoder);
  Progress silent;
  const WeightOptions as_hashed{at::TensorOptions(at::kBFloat16), allow_nonfinite};
  // What is planned is of these sizes.
  const bool same_sizes =
      load_small_decoder(files.small_decoder, as_hashed, silent)->config() == models::small_decoder_for(config);
  if (same_sizes &&
      field(file, kAutoencoderField) == decoder_hash(*load_autoencoder(files.autoencoder, config, as_hashed, silent))) {
    return;
  }
  throw file.file().refusal(
      "this small decoder was trained for another autoencoder than {}, or has other sizes than one for it; train one "
      "with 'unianimate train' "
      "(docs/training.md, \"A small decoder\"), or take the file away",
      printable(files.autoencoder.string()));
}

std::unique_ptr<models::SmallDecoder> load_small_decoder(const fs::path& file, const WeightOptions& options,
                                                         Progress& progress) {
  const checkpoint::Checkpoint opened = checkpoint::open_checkpoint(file);
  auto model = std::make_unique<models::SmallDecoder>(read_small_decoder_config(opened), options.tensors);
  checkpoint::LoadOptions how;
  how.require_finite = !options.allow_nonfinite;
  how.progress = &progress;
  const checkpoint::LoadReport report = checkpoint::load_into(opened, model->named_parameters(), how);
  report.require_ok();
  note_nonfinite(report, progress);
  return model;
}

}  // namespace unianimate::family
