#include "unianimate/pipeline/plan.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/media/image_reader.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/pipeline/pose_pictures.h"
#include "unianimate/pipeline/segments.h"
#include "unianimate/pipeline/window_conditions.h"

namespace unianimate::pipeline {

namespace {

/// Highest memory of one pass beyond weights, as multiples of its widest activation, measured at published sizes
/// (docs/performance.md).
constexpr double kUNetActivations = 16.0;
constexpr double kDecoderActivations = 9.0;
/// The program itself, its libraries and the pictures in flight.
constexpr std::int64_t kProgramBytes = 700'000'000;
/// Which share of the speed of its convolutions the UNet as a whole reaches.
constexpr double kUNetEfficiency = 0.75;

template <typename Model, typename Config>
std::int64_t bytes_of(const Config& config, at::ScalarType dtype) {
  std::int64_t elements = 0;
  const Model model(config, at::TensorOptions(at::kMeta));
  for (const NamedTensor& parameter : model.named_parameters()) elements += parameter.tensor.numel();
  return elements * static_cast<std::int64_t>(c10::elementSize(dtype));
}

/// Bytes of each model's weights in the compute dtype.
struct ModelBytes {
  std::int64_t unet = 0;
  std::int64_t autoencoder = 0;
  std::int64_t clip_visual = 0;
  std::int64_t clip_text = 0;
};

ModelBytes model_bytes(const ModelConfigs& configs, at::ScalarType dtype) {
  return {bytes_of<models::UNet>(configs.unet, dtype), bytes_of<models::Autoencoder>(configs.autoencoder, dtype),
          bytes_of<models::ClipVisual>(configs.clip, dtype), bytes_of<models::ClipText>(configs.clip, dtype)};
}

struct PeakBytes {
  std::int64_t sampling = 0;
  std::int64_t decoding = 0;
};

/// In one batch.
std::int64_t windows_at_once(const AnimateRequest& request, const AnimatePlan& plan) {
  return std::clamp(plan.windows, std::int64_t{1}, request.context.batch_size);
}

/// Beyond weights.
PeakBytes activation_bytes(const AnimateRequest& request, const ModelConfigs& configs, const AnimatePlan& plan,
                           at::ScalarType dtype) {
  const models::LatentShape& clip = plan.latent;
  const auto element = static_cast<double>(c10::elementSize(dtype));
  const auto pixels = static_cast<double>(request.width) * request.height;
  const auto latent_pixels = static_cast<double>(clip.height * clip.width);
  const auto window_frames = static_cast<double>(std::min(clip.frames, request.context.size) + 1) *
                             static_cast<double>(windows_at_once(request, plan));
  PeakBytes bytes;
  bytes.sampling = static_cast<std::int64_t>(kUNetActivations * window_frames * latent_pixels *
                                             static_cast<double>(configs.unet.dim) * element);
  bytes.decoding = static_cast<std::int64_t>(kDecoderActivations * static_cast<double>(request.decode_batch) * pixels *
                                             static_cast<double>(configs.autoencoder.ch) * element);
  return bytes;
}

/// Beyond models and activations: what of poses, latents and encoded conditions stays in memory, which does not grow
/// once the clip is long enough.
std::int64_t bytes_per_clip(const AnimateRequest& request, const ModelConfigs& configs, const AnimatePlan& plan,
                            const RuntimeOptions& options) {
  // The latents, the noise of eta, and what a window's predictions are summed in.
  constexpr std::int64_t kWindowCopies = 6;
  const std::int64_t latent_pixels = plan.latent.height * plan.latent.width;
  const std::int64_t frame_bytes = models::UNetConfig::kLatentChannels * latent_pixels * std::int64_t{sizeof(float)};
  const std::int64_t window_frames = std::min(plan.frames(), request.context.size);
  const std::int64_t encoded = window_frames * configs.unet.concat_dim + configs.unet.input_channels();
  const auto element = static_cast<std::int64_t>(c10::elementSize(options.compute.dtype));
  const std::int64_t kept = std::int64_t{Image::kChannels} * request.width * request.height;
  return std::min(plan.frames() * kept, PosePictures::kPicturesInMemory) +
         std::min(plan.frames() * frame_bytes, options.latent_memory) * (request.sampling.eta > 0 ? 2 : 1) +
         kWindowCopies * window_frames * windows_at_once(request, plan) * frame_bytes +
         std::min(plan.windows * encoded * latent_pixels * element, WindowConditions::kEncodedInMemory);
}

/// Decides what stays in memory and what that takes.
void plan_memory(const AnimateRequest& request, const ModelConfigs& configs, const RuntimeOptions& options,
                 AnimatePlan& plan) {
  const at::ScalarType dtype = options.compute.dtype;
  const ModelBytes bytes = model_bytes(configs, dtype);
  const PeakBytes activations = activation_bytes(request, configs, plan, dtype);
  const std::int64_t always =
      (options.compute.device.is_cpu() ? kProgramBytes : 0) + bytes_per_clip(request, configs, plan, options);
  const std::int64_t with_clip = std::max(bytes.clip_visual, bytes.clip_text);
  const std::int64_t with_autoencoder = bytes.autoencoder + activations.decoding;
  const std::int64_t all = bytes.unet + bytes.autoencoder + bytes.clip_visual +
                           std::max({activations.sampling, activations.decoding, bytes.clip_text});
  const std::int64_t unet_stays = bytes.unet + std::max({activations.sampling, with_clip, with_autoencoder});
  const std::int64_t one_by_one = std::max({bytes.unet + activations.sampling, with_clip, with_autoencoder});

  const std::int64_t budget = options.memory_budget > 0 ? options.memory_budget : usable_bytes(options.compute.device);
  plan.keeps_all_models = always + all <= budget;
  plan.keeps_unet = plan.keeps_all_models || always + unet_stays <= budget;
  plan.peak_bytes = always + (plan.keeps_all_models ? all : plan.keeps_unet ? unet_stays : one_by_one);
  if (plan.peak_bytes > budget) {
    throw Error(ErrorKind::kEnvironment,
                "this animation needs about {} of memory and the budget is {}; use a smaller --size, a smaller "
                "--context-size{} or a larger --memory-budget",
                format_bytes(plan.peak_bytes), format_bytes(budget), dtype == at::kFloat ? ", --dtype bf16" : "");
  }
}

}  // namespace

std::int64_t side_unit(const ModelConfigs& configs) {
  return configs.autoencoder.downscale() * configs.unet.downscale();
}

void check_size(int width, int height, const ModelConfigs& configs) {
  const std::int64_t unit = side_unit(configs);
  const auto suits = [&](int side) { return side % unit == 0; };
  const auto nearest = [&](int side) { return std::max<std::int64_t>(1, (side + unit / 2) / unit) * unit; };
  if (suits(width) && suits(height)) return;
  throw Error(ErrorKind::kUsage, "the sides of {}x{} must be multiples of {} for these models; near is {}x{}", width,
              height, unit, nearest(width), nearest(height));
}

AnimatePlan plan_animation(const AnimateRequest& request, const ModelConfigs& configs, const RuntimeOptions& options) {
  request.check();
  check_size(request.width, request.height, configs);
  AnimatePlan plan;

  // 1. the files
  plan.notes = read_reference(request.reference, request.background).notes;
  plan.pose_folder = open_pose_folder(request.poses, request.pose_order);
  std::ranges::copy(plan.pose_folder.notes, std::back_inserter(plan.notes));
  plan.selection = select_poses(static_cast<std::int64_t>(plan.pose_folder.poses.size()), request.frame_interval,
                                request.max_frames);
  if (!plan.selection.note.empty()) plan.notes.push_back(plan.selection.note);
  for (std::string& note : check_loras(options.loras, configs.unet)) plan.notes.push_back(std::move(note));

  // 2. the work
  const std::int64_t downscale = configs.autoencoder.downscale();
  plan.latent = {1, static_cast<std::int64_t>(plan.selection.indices.size()), request.height / downscale,
                 request.width / downscale};
  plan.output_width = request.width * (request.comparison ? 3 : 1);
  plan.output_height = request.height;
  plan.timesteps = static_cast<std::int64_t>(request.sampling.timesteps().size());
  const std::vector<Segment> segments = video_segments(plan.frames(), request);
  plan.segments = static_cast<std::int64_t>(segments.size());
  const std::int64_t passes = request.guidance_scale == 1.0 ? 1 : 2;
  for (const Segment& segment : segments) {
    const models::LatentShape window{1, std::min(segment.size, request.context.size), plan.latent.height,
                                     plan.latent.width};
    const double operations = models::unet_operations(configs.unet, window);
    for (std::int64_t step = 0; step < plan.timesteps; ++step) {
      const auto windows =
          static_cast<std::int64_t>(diffusion::context_windows(segment.size, request.context, step).size());
      if (step == 0) plan.windows += windows;
      plan.unet_calls += passes * ((windows + request.context.batch_size - 1) / request.context.batch_size);
      plan.unet_operations += static_cast<double>(passes * windows) * operations;
    }
  }

  // 3. the memory
  plan_memory(request, configs, options, plan);
  return plan;
}

double estimate_seconds(const AnimatePlan& plan, const Compute& compute) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t kChannels = 320;
  constexpr std::int64_t kSide = 32;
  constexpr std::int64_t kFrames = 8;
  const c10::InferenceMode inference;
  const at::TensorOptions type = at::TensorOptions().device(compute.device).dtype(compute.dtype);
  const at::Tensor x = at::ones({kFrames, kChannels, kSide, kSide}, type).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor weight = at::ones({kChannels, kChannels, 3, 3}, type).contiguous(at::MemoryFormat::ChannelsLast);
  const double operations = 2.0 * kFrames * kSide * kSide * kChannels * kChannels * 9;
  const auto convolve = [&] { return at::conv2d(x, weight, {}, {1, 1}, {1, 1}).sum().item<float>(); };
  convolve();
  const auto start = Clock::now();
  int repetitions = 0;
  while (Clock::now() - start < std::chrono::milliseconds(700)) {
    convolve();
    ++repetitions;
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return plan.unet_operations / (operations * repetitions / seconds) / kUNetEfficiency;
}

}  // namespace unianimate::pipeline
