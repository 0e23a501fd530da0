#include "unianimate/family/unianimate/memory.h"

#include <algorithm>

#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/window_conditions.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/autoencoder/small_decoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/int8_candidates.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/nn/in_parts.h"
#include "unianimate/nn/product.h"

namespace unianimate::family {

namespace {

/// Highest memory of one pass beyond weights, as multiples of its widest activation, measured at published sizes
/// (docs/performance.md). A long clip passes the UNet in parts: of so many activations there is the whole, of so many
/// others a part, at most one of a card, whose parts are the larger ones.
constexpr double kUNetActivations = 8.0;
constexpr double kUNetPartActivations = 8.0;
constexpr double kDecoderActivations = 9.0;
constexpr double kSmallDecoderActivations = 2.0;

template <typename Model, typename Config>
std::int64_t bytes_of(const Config& config, at::ScalarType dtype) {
  std::int64_t bytes = 0;
  const Model model(config, at::TensorOptions(at::kMeta).dtype(dtype));
  for (const NamedTensor& parameter : model.named_parameters()) {
    bytes += parameter.tensor.numel() * static_cast<std::int64_t>(parameter.tensor.element_size());
  }
  return bytes;
}

/// Elements of the largest weight that something is multiplied by.
template <typename Model, typename Config>
std::int64_t largest_weight(const Config& config) {
  std::int64_t most = 0;
  const Model model(config, at::TensorOptions(at::kMeta));
  for (const NamedTensor& parameter : model.named_parameters()) most = std::max(most, parameter.tensor.numel());
  return most;
}

/// Elements of the weights that may be in 8 bits.
std::int64_t int8_elements(const models::UNetConfig& config) {
  std::int64_t elements = 0;
  const models::UNet model(config, at::TensorOptions(at::kMeta));
  for (const nn::NamedProduct& layer : models::int8_candidates(model)) elements += layer.product->weight().numel();
  return elements;
}

/// The activations of one pass through the UNet, which puts the reference before the frames of each window.
std::int64_t unet_pass_bytes(const models::UNetConfig& config, double element, const Workload& work) {
  const auto latent_pixels = static_cast<double>(work.window.height * work.window.width);
  const auto frames = static_cast<double>(work.window.latents + 1) * static_cast<double>(work.windows_at_once);
  const double widest = frames * latent_pixels * static_cast<double>(config.dim) * element;
  const double part = std::min(widest, static_cast<double>(nn::kPartBytesOnCard));
  return static_cast<std::int64_t>(kUNetActivations * widest + kUNetPartActivations * part);
}

/// The activations of one pass of so many pictures through the decoder.
std::int64_t decoder_pass_bytes(const models::AutoencoderConfig& config, double element, const Workload& work,
                                std::int64_t pictures) {
  const auto pixels = static_cast<double>(work.width) * work.height;
  return static_cast<std::int64_t>(kDecoderActivations * static_cast<double>(pictures) * pixels *
                                   static_cast<double>(config.ch) * element);
}

/// The same of the small decoder, which takes most where it reaches full size.
std::int64_t small_decoder_pass_bytes(const models::AutoencoderConfig& config, double element, const Workload& work,
                                      std::int64_t pictures) {
  const std::vector<std::int64_t> widths = models::small_decoder_for(config).widths;
  const auto pixels = static_cast<double>(work.width) * work.height;
  const auto widest = static_cast<double>(widths[std::min<std::size_t>(1, widths.size() - 1)]);
  return static_cast<std::int64_t>(kSmallDecoderActivations * static_cast<double>(pictures) * pixels * widest *
                                   element);
}

}  // namespace

ModelBytes model_bytes(const ModelConfigs& configs, const Compute& compute) {
  const at::ScalarType dtype = compute.dtype;
  const std::int64_t unet = bytes_of<models::UNet>(configs.unet, dtype);
  ModelBytes bytes{unet,
                   unet,
                   bytes_of<models::Autoencoder>(configs.autoencoder, dtype),
                   bytes_of<models::SmallDecoder>(models::small_decoder_for(configs.autoencoder), dtype),
                   bytes_of<models::ClipVisual>(configs.clip, dtype),
                   bytes_of<models::ClipText>(configs.clip, dtype)};
  const std::int64_t largest =
      std::max(largest_weight<models::UNet>(configs.unet), largest_weight<models::Autoencoder>(configs.autoencoder));
  bytes.beside_products = nn::bytes_beside_product(largest, compute.device, dtype);
  if (!compute.int8) return bytes;
  const std::int64_t in_file = configs.unet_int8_elements;
  const std::int64_t most = int8_elements(configs.unet);
  const std::int64_t elements = in_file > 0 ? std::min(in_file, most) : most;
  bytes.unet -= elements * (static_cast<std::int64_t>(c10::elementSize(dtype)) - 1);
  // Whole, and what a file that holds no 8 bits is measured with beside it.
  if (in_file == 0) bytes.unet_loading += elements;
  return bytes;
}

std::vector<MemoryUse> memory_uses(const ModelConfigs& configs, const ModelBytes& bytes, at::ScalarType dtype,
                                   const Workload& work) {
  const auto element = static_cast<double>(c10::elementSize(dtype));
  const std::int64_t unet_pass = unet_pass_bytes(configs.unet, element, work);
  const auto by_full = [&](std::int64_t pictures) {
    return decoder_pass_bytes(configs.autoencoder, element, work, pictures);
  };
  const auto by_small = [&](std::int64_t pictures) {
    return small_decoder_pass_bytes(configs.autoencoder, element, work, pictures);
  };
  const bool small = work.decoder == DecoderChoice::kSmall;
  const bool small_previews = work.preview_decoder == DecoderChoice::kSmall;
  const bool full_previews = work.preview_decoder == DecoderChoice::kFull;
  // The reference goes through the autoencoder whatever decodes.
  const std::int64_t decoding = small ? std::max(by_full(1), by_small(work.decode_batch)) : by_full(work.decode_batch);
  // A preview is decoded between two passes of the UNet, beside which the autoencoder then stays.
  const std::int64_t sampling = std::max({unet_pass, full_previews ? decoding : 0, small_previews ? by_small(1) : 0}) +
                                (full_previews ? bytes.autoencoder : 0);
  const std::int64_t always = WindowConditions::bytes_kept(configs.unet, dtype, work.window, work.windows) +
                              (small || small_previews ? bytes.small_decoder : 0) + bytes.beside_products;
  const std::int64_t with_clip = std::max(bytes.clip_visual, bytes.clip_text);
  const std::int64_t with_pictures = decoding + work.waiting_pictures;
  const std::int64_t with_autoencoder = bytes.autoencoder + with_pictures;
  const std::int64_t all =
      bytes.autoencoder + bytes.clip_visual +
      std::max(bytes.unet + std::max({unet_pass, with_pictures, bytes.clip_text}), bytes.unet_loading);
  const std::int64_t unet_stays =
      std::max(bytes.unet + std::max({sampling, with_clip, with_autoencoder}), bytes.unet_loading);
  const std::int64_t one_by_one = std::max({bytes.unet + sampling, with_clip, with_autoencoder, bytes.unet_loading});
  return {{{.all_models = true, .denoiser = true}, always + all},
          {{.all_models = false, .denoiser = true}, always + unet_stays},
          {{.all_models = false, .denoiser = false}, always + one_by_one}};
}

FeatureReuse feature_reuse(const models::UNetConfig& config, at::ScalarType dtype, const ClipShape& window,
                           std::int64_t below) {
  // Below the deepest level there is nothing.
  const auto deepest = static_cast<std::int64_t>(config.dim_mult.size()) - 1;
  if (deepest == 0) {
    throw Error(ErrorKind::kUsage,
                "these models have one level, below which there are no features to reuse; leave "
                "reuse_below and reuse_every out");
  }
  if (below < 0 || below >= deepest) {
    throw Error(ErrorKind::kUsage, "reuse_below must be between 0 and {} for these models, found {}", deepest - 1,
                below);
  }
  const models::LatentShape shape{1, window.latents, window.height, window.width};
  const std::int64_t cut = config.cut_below(below);
  return {models::unet_operations(config, shape, cut),
          models::deep_feature_elements(config, shape, cut) * static_cast<std::int64_t>(c10::elementSize(dtype))};
}

std::int64_t carried_bytes(const models::UNetConfig& config, at::ScalarType dtype, const ClipShape& window) {
  if (config.temporal != models::TemporalKind::kMamba) {
    throw Error(ErrorKind::kUsage,
                "carry_state is for models with a temporal Mamba, and these have temporal Transformers, which hand "
                "nothing over; leave it out");
  }
  return models::carried_state_bytes(config, {1, window.latents, window.height, window.width},
                                     static_cast<std::int64_t>(c10::elementSize(dtype)));
}

}  // namespace unianimate::family
