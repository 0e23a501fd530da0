#include "unianimate/family/unianimate/model_timing.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/family/unianimate/int8_selection.h"
#include "unianimate/family/unianimate/memory.h"
#include "unianimate/models/autoencoder/blocks.h"
#include "unianimate/models/autoencoder/cost.h"
#include "unianimate/models/autoencoder/small_decoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/clip/cost.h"
#include "unianimate/models/unet/condition_stems.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/nn/product.h"

namespace unianimate::family {

namespace {

using Clock = std::chrono::steady_clock;

/// What is tried out at once of a clip or picture has about so many operations.
constexpr double kTrialOperations = 60e9;
/// Runs that are timed go on for so long.
constexpr double kTrialSeconds = 0.02;
/// Frames of the residual blocks that are tried out, whose convolutions over frames have less to do at a clip's ends.
constexpr std::int64_t kTriedFrames = 8;
/// Pose pictures that are tried out at once.
constexpr std::int64_t kTriedPoses = 8;
/// Bytes of a file that are loaded on trial.
constexpr std::int64_t kTrialBytes = 64'000'000;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Seconds of a run, after one that warms up.
double seconds_of(const std::function<at::Tensor()>& work) {
  const auto run = [&] { static_cast<void>(work().flatten()[0].item<float>()); };  // on a card this waits
  run();
  const auto start = Clock::now();
  int runs = 0;
  do {
    run();
    ++runs;
  } while (seconds_since(start) < kTrialSeconds);
  return seconds_since(start) / runs;
}

/// Weights of no meaning. Where asked for, its products multiply in 8 bits.
void fill(const nn::Module& module, bool int8) {
  constexpr double kSmall = 0.01;
  for (const NamedTensor& parameter : module.named_parameters()) parameter.tensor.fill_(kSmall);
  if (!int8) return;
  for (const nn::NamedProduct& layer : module.named_products()) layer.product->use_int8();
}

/// How many of `most` rows or frames of so many operations are tried out.
std::int64_t on_trial(double operations_of_one, std::int64_t most) {
  return std::clamp(static_cast<std::int64_t>(kTrialOperations / operations_of_one), std::int64_t{1}, most);
}

/// Seconds of a residual block of one level for a frame of these sides, of which every row takes about as long.
double residual_seconds(const models::UNetConfig& config, std::size_t level, ClipShape clip, const Compute& compute) {
  const at::TensorOptions options = at::TensorOptions().device(compute.device).dtype(compute.dtype);
  const std::int64_t channels = config.dim * config.dim_mult[level];
  const std::int64_t frames = std::min(clip.latents + 1, kTriedFrames);
  const double operations = models::unet_residual_operations(config, {1, frames - 1, 1, clip.width}, level);
  const std::int64_t rows = on_trial(operations, clip.height);
  const models::ResBlock residual(channels, channels, config.time_dim(), config.norm_groups, options);
  fill(residual, compute.int8);
  const at::Tensor x = at::full({1, frames, rows, clip.width, channels}, 1, options);
  const at::Tensor time = at::full({1, config.time_dim()}, 1, options);
  return seconds_of([&] { return residual(x, {}, time); }) * static_cast<double>(clip.height) /
         static_cast<double>(frames * rows);
}

/// Seconds of the transformers of one level for a frame of these sides.
double transformer_seconds(const models::UNetConfig& config, std::size_t level, ClipShape clip,
                           const Compute& compute) {
  constexpr std::int64_t kPromptTokens = 77;
  const at::TensorOptions options = at::TensorOptions().device(compute.device).dtype(compute.dtype);
  const std::int64_t channels = config.dim * config.dim_mult[level];
  const models::LatentShape frame{1, 0, clip.height, clip.width};
  const double operations =
      models::unet_block_operations(config, frame, level) - models::unet_residual_operations(config, frame, level);
  const std::int64_t frames = on_trial(operations, clip.latents + 1);
  const models::SpatialTransformer spatial(channels, config.context_dim, config.head_dim, config.norm_groups, options);
  const models::TemporalTransformer temporal(channels, channels, config, options);
  fill(spatial, compute.int8);
  fill(temporal, compute.int8);
  const at::Tensor x = at::full({1, frames, clip.height, clip.width, channels}, 1, options);
  const models::ContextKeysValues context =
      spatial.project_context(at::full({1, kPromptTokens + config.num_tokens, config.context_dim}, 1, options));
  return seconds_of([&] { return temporal(spatial(x, context)); }) / static_cast<double>(frames);
}

/// Operations a second of the blocks of one level, on a clip that has this shape there.
double unet_rate(const models::UNetConfig& config, std::size_t level, ClipShape clip, const Compute& compute) {
  double seconds = residual_seconds(config, level, clip, compute);
  if (config.has_attention(level)) seconds += transformer_seconds(config, level, clip, compute);
  return models::unet_block_operations(config, {1, 0, clip.height, clip.width}, level) / seconds;
}

/// The same of the autoencoder, on a picture that has this height and width at the level.
double autoencoder_rate(const models::AutoencoderConfig& config, std::size_t level, std::int64_t height,
                        std::int64_t width, const Compute& compute) {
  const at::TensorOptions options = at::TensorOptions().device(compute.device).dtype(compute.dtype);
  const std::int64_t channels = config.ch * config.ch_mult[level];
  const std::int64_t rows = on_trial(models::autoencoder_block_operations(config, level, width), height);
  const models::AutoencoderResBlock block(channels, channels, config.norm_groups, options);
  fill(block, compute.int8);
  const at::Tensor x = at::full({1, rows, width, channels}, 1, options);
  return models::autoencoder_block_operations(config, level, rows * width) / seconds_of([&] { return block(x); });
}

/// Of weights with so many axes.
at::MemoryFormat layout_of(std::size_t axes) {
  if (axes == 5) return at::MemoryFormat::ChannelsLast3d;
  return axes == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

/// Loads tensors of the file until they are enough, as models are loaded, and says how long all would take.
double time_loading(const std::filesystem::path& path, const Compute& compute) {
  const checkpoint::Checkpoint file = checkpoint::open_checkpoint(path);
  NamedTensors destination;
  std::set<std::string, std::less<>> chosen;
  std::int64_t bytes = 0;
  for (const std::size_t index : file.file_order()) {
    const checkpoint::TensorEntry& entry = file.tensors()[index];
    if (bytes >= kTrialBytes) break;
    const at::ScalarType own = checkpoint::scalar_type(entry.type);
    const at::ScalarType type = at::isFloatingType(own) ? compute.dtype : own;
    const auto layout = layout_of(entry.shape.size());
    destination.push_back(
        {entry.name, at::empty(entry.shape, at::TensorOptions().device(compute.device).dtype(type), layout)});
    chosen.insert(entry.name);
    bytes += entry.elements() * checkpoint::element_size(entry.type);
  }
  checkpoint::LoadOptions how;
  how.place = [&](std::string_view key) -> std::optional<checkpoint::Placement> {
    if (!chosen.contains(key)) return std::nullopt;
    return checkpoint::Placement{.name = std::string(key)};
  };
  const auto start = Clock::now();
  checkpoint::load_into(file, destination, how);
  return bytes == 0 ? 0 : seconds_since(start) * static_cast<double>(file.total_bytes()) / static_cast<double>(bytes);
}

double divide(const std::vector<double>& operations, const std::vector<double>& rates) {
  double seconds = 0;
  for (std::size_t level = 0; level < operations.size(); ++level) seconds += operations[level] / rates[level];
  return seconds;
}

}  // namespace

double ModelTiming::load_seconds(const std::filesystem::path& file, double share) {
  const auto [known, is_new] = file_seconds_.try_emplace(file.string());
  if (is_new) known->second = time_loading(file, options_.compute);
  return share * known->second;
}

const std::vector<double>& ModelTiming::unet_rates(const ClipShape& window, bool int8) {
  std::vector<double>& rates = rates_[{window.latents, window.height, window.width, int8}];
  Compute compute = options_.compute;
  compute.int8 = int8;
  for (std::size_t level = rates.size(); level < configs_.unet.dim_mult.size(); ++level) {
    const ClipShape clip{window.latents, std::max<std::int64_t>(1, window.height >> level),
                         std::max<std::int64_t>(1, window.width >> level)};
    rates.push_back(unet_rate(configs_.unet, level, clip, compute));
  }
  return rates;
}

double ModelTiming::pass_seconds(const ClipShape& window, bool int8) {
  const models::LatentShape shape{1, window.latents, window.height, window.width};
  return divide(models::unet_level_operations(configs_.unet, shape), unet_rates(window, int8));
}

/// Of the stem and the transformer that a window's pose pictures pass once.
double ModelTiming::pose_seconds(const ClipShape& window) {
  const auto [known, is_new] = pose_seconds_.try_emplace({window.height, window.width});
  if (is_new) {
    const at::TensorOptions options = at::TensorOptions().device(options_.compute.device).dtype(options_.compute.dtype);
    const std::int64_t frames = std::min(window.latents, kTriedPoses);
    const std::int64_t unit = configs_.autoencoder.downscale();
    const models::PictureStem stem(configs_.unet.concat_dim, options);
    const models::StemTransformer after(configs_.unet.concat_dim, options);
    fill(stem, false);
    fill(after, false);
    const at::Tensor poses = at::full({1, frames, unit * window.height, unit * window.width, 3}, 1, options);
    known->second =
        seconds_of([&] { return after(stem(poses, window.height, window.width)); }) / static_cast<double>(frames);
  }
  return known->second * static_cast<double>(window.latents);
}

/// Of finding out which layers may multiply in 8 bits: see measure_int8(), where both are computed side by side.
double ModelTiming::int8_choice_seconds() {
  const ClipShape window = drawn_person_shape(configs_);
  return kMeasuringPasses * (pass_seconds(window, false) + pass_seconds(window, true));
}

const std::vector<double>& ModelTiming::autoencoder_rates(std::int64_t h, std::int64_t w, bool int8) {
  std::vector<double>& rates = rates_[{0, h, w, int8}];
  Compute compute = options_.compute;
  compute.int8 = int8;
  const std::size_t levels = configs_.autoencoder.ch_mult.size();
  for (std::size_t level = rates.size(); level < levels; ++level) {
    const std::size_t doubled = levels - 1 - level;
    rates.push_back(autoencoder_rate(configs_.autoencoder, level, h << doubled, w << doubled, compute));
  }
  return rates;
}

double ModelTiming::decode_seconds(std::int64_t h, std::int64_t w, bool int8) {
  return divide(models::decoder_level_operations(configs_.autoencoder, h, w), autoencoder_rates(h, w, int8));
}

/// See LoadedModels::decoder().
double ModelTiming::int8_decoder_choice_seconds() {
  const ClipShape drawn = drawn_person_shape(configs_);
  return divide(models::encoder_level_operations(configs_.autoencoder, drawn.height, drawn.width),
                autoencoder_rates(drawn.height, drawn.width, false)) +
         decode_seconds(drawn.height, drawn.width, false) + decode_seconds(drawn.height, drawn.width, true);
}

double ModelTiming::small_decoder_seconds(std::int64_t h, std::int64_t w) {
  const auto [known, is_new] = small_decoder_seconds_.try_emplace({h, w});
  if (is_new) {
    const at::TensorOptions options = at::TensorOptions().device(options_.compute.device).dtype(options_.compute.dtype);
    const models::SmallDecoder decoder(models::small_decoder_for(configs_.autoencoder), options);
    fill(decoder, false);
    const at::Tensor latent = at::full({1, configs_.autoencoder.z_channels, h, w}, 1, options.dtype(at::kFloat));
    known->second = seconds_of([&] { return decoder.decode(latent); });
  }
  return known->second;
}

double ModelTiming::clip_rate() {
  if (clip_rate_ > 0) return clip_rate_;
  const models::ClipConfig::Vision& vision = configs_.clip.vision;
  const at::TensorOptions options = at::TensorOptions().device(options_.compute.device).dtype(options_.compute.dtype);
  const models::ClipBlock block(vision.width, vision.heads, vision.mlp_ratio, options);
  fill(block, false);
  const std::int64_t tokens = models::clip_visual_tokens(configs_.clip);
  const at::Tensor x = at::full({1, tokens, vision.width}, 1, options);
  clip_rate_ = models::clip_block_operations(tokens, vision.width, vision.mlp_ratio) /
               seconds_of([&] { return block(x, false); });
  return clip_rate_;
}

WorkSeconds ModelTiming::seconds(const AnimateRequest& request, const ClipShape& window) {
  const c10::InferenceMode inference;
  const bool int8 = options_.compute.int8;
  const bool sees = request.conditions.contains(Condition::kImage);
  const ModelBytes bytes = model_bytes(configs_, options_.compute);
  const double of_clip =
      sees ? 1 : static_cast<double>(bytes.clip_text) / static_cast<double>(bytes.clip_text + bytes.clip_visual);
  const double clip =
      models::clip_text_operations(configs_.clip) + (sees ? models::clip_visual_operations(configs_.clip) : 0);
  WorkSeconds seconds;
  const double autoencoder = load_seconds(files_.autoencoder, 1);
  const bool full = request.decoder == DecoderChoice::kFull;
  if (full) seconds.load_decoder = autoencoder;
  if (full && int8) seconds.prepare_decoder = int8_decoder_choice_seconds();
  seconds.load_encoders = autoencoder + load_seconds(files_.clip, of_clip);
  seconds.encode = divide(models::encoder_level_operations(configs_.autoencoder, window.height, window.width),
                          autoencoder_rates(window.height, window.width, false)) +
                   clip / clip_rate();
  seconds.load_denoiser = load_seconds(files_.unet, 1);
  if (int8 && configs_.unet_int8_elements == 0) seconds.prepare_denoiser = int8_choice_seconds();
  if (request.conditions.contains(Condition::kDwpose)) seconds.conditions = pose_seconds(window);
  seconds.pass = pass_seconds(window, int8);
  seconds.decode =
      full ? decode_seconds(window.height, window.width, int8) : small_decoder_seconds(window.height, window.width);
  return seconds;
}

}  // namespace unianimate::family
