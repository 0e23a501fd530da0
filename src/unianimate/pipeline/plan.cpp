#include "unianimate/pipeline/plan.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/family/pose_pictures.h"
#include "unianimate/family/unianimate/window_conditions.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/models/autoencoder/autoencoder.h"
#include "unianimate/models/clip/clip.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/pipeline/segments.h"

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

ModelBytes model_bytes(const family::ModelConfigs& configs, at::ScalarType dtype) {
  return {bytes_of<models::UNet>(configs.unet, dtype), bytes_of<models::Autoencoder>(configs.autoencoder, dtype),
          bytes_of<models::ClipVisual>(configs.clip, dtype), bytes_of<models::ClipText>(configs.clip, dtype)};
}

/// In one batch.
std::int64_t windows_at_once(const family::AnimateRequest& request, const AnimatePlan& plan) {
  return std::clamp(plan.windows, std::int64_t{1}, request.context.batch_size);
}

std::int64_t frame_bytes(const family::AnimateRequest& request) {
  return std::int64_t{Image::kChannels} * request.width * request.height;
}

/// How often segments have which length.
std::map<std::int64_t, std::int64_t> count_segments(std::int64_t frames, const family::AnimateRequest& request) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const Segment& segment : video_segments(frames, request)) ++counts[segment.size];
  return counts;
}

/// Passes through the UNet, and what they take.
void plan_sampling(const family::AnimateRequest& request, const models::UNetConfig& unet, AnimatePlan& plan) {
  const std::int64_t passes = request.guidance_scale == 1.0 ? 1 : 2;
  const bool moving = request.context.schedule == diffusion::ContextSchedule::kMoving;
  for (const auto& [size, count] : count_segments(plan.frames(), request)) {
    const models::LatentShape window{1, std::min(size, request.context.size), plan.latent.height, plan.latent.width};
    const double operations = models::unet_operations(unet, window);
    std::int64_t windows = 0;
    for (std::int64_t step = 0; step < plan.timesteps; ++step) {
      if (step == 0 || moving) {
        windows = static_cast<std::int64_t>(diffusion::context_windows(size, request.context, step).size());
      }
      if (step == 0) plan.windows += count * windows;
      plan.unet_calls += count * passes * ((windows + request.context.batch_size - 1) / request.context.batch_size);
      plan.unet_operations += static_cast<double>(count * passes * windows) * operations;
    }
    plan.segments += count;
    plan.largest_segment = std::max(plan.largest_segment, size);
  }
}

/// Operations a second that convolutions reach.
double measure_speed(const Compute& compute) {
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
  return operations * repetitions / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

std::int64_t side_unit(const family::ModelConfigs& configs) {
  return configs.autoencoder.downscale() * configs.unet.downscale();
}

void check_size(int width, int height, const family::ModelConfigs& configs) {
  const std::int64_t unit = side_unit(configs);
  const auto suits = [&](int side) { return side % unit == 0; };
  const auto nearest = [&](int side) { return std::max<std::int64_t>(1, (side + unit / 2) / unit) * unit; };
  if (suits(width) && suits(height)) return;
  throw Error(ErrorKind::kUsage, "the sides of {}x{} must be multiples of {} for these models; near is {}x{}", width,
              height, unit, nearest(width), nearest(height));
}

AnimationPlanner::AnimationPlanner(family::ModelConfigs configs, family::RuntimeOptions options,
                                   const PreviewOptions& preview)
    : configs_(std::move(configs)),
      options_(std::move(options)),
      preview_(preview),
      bytes_(model_bytes(configs_, options_.compute.dtype)),
      model_notes_(configs_.notes) {
  std::ranges::move(family::check_loras(options_.loras, configs_.unet, options_.allow_nonfinite),
                    std::back_inserter(model_notes_));
}

/// The activations of one pass through the UNet.
std::int64_t AnimationPlanner::sampling_bytes(const family::AnimateRequest& request, const AnimatePlan& plan) const {
  const auto element = static_cast<double>(c10::elementSize(options_.compute.dtype));
  const auto latent_pixels = static_cast<double>(plan.latent.height * plan.latent.width);
  const auto window_frames = static_cast<double>(std::min(plan.frames(), request.context.size) + 1) *
                             static_cast<double>(windows_at_once(request, plan));
  return static_cast<std::int64_t>(kUNetActivations * window_frames * latent_pixels *
                                   static_cast<double>(configs_.unet.dim) * element);
}

/// The activations of one pass through the decoder.
std::int64_t AnimationPlanner::decoding_bytes(const family::AnimateRequest& request) const {
  const auto element = static_cast<double>(c10::elementSize(options_.compute.dtype));
  const auto pixels = static_cast<double>(request.width) * request.height;
  return static_cast<std::int64_t>(kDecoderActivations * static_cast<double>(request.decode_batch) * pixels *
                                   static_cast<double>(configs_.autoencoder.ch) * element);
}

/// Decoded pictures that wait: for all of their segment where its colours are matched, and for the next segment.
std::int64_t AnimationPlanner::picture_bytes(const family::AnimateRequest& request, const AnimatePlan& plan) const {
  if (!request.chain) return 0;
  const std::int64_t shared = plan.segments > 1 ? 2 * request.chain->segment_overlap : 0;
  return (shared + (request.chain->color_match ? plan.largest_segment : 0)) * frame_bytes(request);
}

/// Beyond models and activations: what of poses, latents and encoded conditions stays in memory, which does not grow
/// once the clip is long enough.
std::int64_t AnimationPlanner::bytes_per_clip(const family::AnimateRequest& request, const AnimatePlan& plan) const {
  // The latents, the noise of eta, and what a window's predictions are summed in.
  constexpr std::int64_t kWindowCopies = 6;
  const std::int64_t latent_pixels = plan.latent.height * plan.latent.width;
  const std::int64_t latent_bytes = models::UNetConfig::kLatentChannels * latent_pixels * std::int64_t{sizeof(float)};
  const std::int64_t window_frames = std::min(plan.frames(), request.context.size);
  const std::int64_t encoded = window_frames * configs_.unet.concat_dim + configs_.unet.input_channels();
  const auto element = static_cast<std::int64_t>(c10::elementSize(options_.compute.dtype));
  return std::min(plan.frames() * frame_bytes(request), family::PosePictures::kPicturesInMemory) +
         std::min(plan.frames() * latent_bytes, options_.latent_memory) * (request.sampling.eta > 0 ? 2 : 1) +
         kWindowCopies * window_frames * windows_at_once(request, plan) * latent_bytes +
         std::min(plan.windows * encoded * latent_pixels * element, family::WindowConditions::kEncodedInMemory);
}

/// Decides what stays in memory and what that takes.
void AnimationPlanner::plan_memory(const family::AnimateRequest& request, AnimatePlan& plan) const {
  const std::int64_t decoding = decoding_bytes(request);
  const bool decodes_previews = preview_.every > 0 && preview_.decoded;
  // A preview is decoded between two passes of the UNet, beside which the autoencoder then stays.
  const std::int64_t sampling = std::max(sampling_bytes(request, plan), decodes_previews ? decoding : 0) +
                                (decodes_previews ? bytes_.autoencoder : 0);
  const std::int64_t always = (options_.compute.device.is_cpu() ? kProgramBytes : 0) + bytes_per_clip(request, plan);
  const std::int64_t with_clip = std::max(bytes_.clip_visual, bytes_.clip_text);
  const std::int64_t with_pictures = decoding + picture_bytes(request, plan);
  const std::int64_t with_autoencoder = bytes_.autoencoder + with_pictures;
  const std::int64_t all = bytes_.unet + bytes_.autoencoder + bytes_.clip_visual +
                           std::max({sampling_bytes(request, plan), with_pictures, bytes_.clip_text});
  const std::int64_t unet_stays = bytes_.unet + std::max({sampling, with_clip, with_autoencoder});
  const std::int64_t one_by_one = std::max({bytes_.unet + sampling, with_clip, with_autoencoder});

  const std::int64_t budget =
      options_.memory_budget > 0 ? options_.memory_budget : usable_bytes(options_.compute.device);
  plan.keeps_all_models = always + all <= budget;
  plan.keeps_unet = plan.keeps_all_models || always + unet_stays <= budget;
  plan.peak_bytes = always + (plan.keeps_all_models ? all : plan.keeps_unet ? unet_stays : one_by_one);
  if (plan.peak_bytes > budget) {
    throw Error(ErrorKind::kEnvironment,
                "this animation needs about {} of memory and the budget is {}; use a smaller --size, a smaller "
                "--context-size{}{} or a larger --memory-budget",
                format_bytes(plan.peak_bytes), format_bytes(budget),
                options_.compute.dtype == at::kFloat ? ", --dtype bf16" : "",
                decodes_previews ? ", no --preview-decoded" : "");
  }
}

AnimatePlan AnimationPlanner::plan(const family::AnimateRequest& request) const {
  request.check();
  check_size(request.width, request.height, configs_);
  std::vector<std::string> notes = read_reference(request.reference, request.background).notes;
  family::PoseFolder folder = family::open_pose_folder(request.poses, request.pose_order);
  AnimatePlan plan = plan_for_poses(request, static_cast<std::int64_t>(folder.poses.size()));
  notes.insert(notes.end(), folder.notes.begin(), folder.notes.end());
  plan.notes.insert(plan.notes.begin(), notes.begin(), notes.end());
  plan.pose_folder = std::move(folder);
  return plan;
}

AnimatePlan AnimationPlanner::plan_for_poses(const family::AnimateRequest& request, std::int64_t poses) const {
  request.check();
  check_size(request.width, request.height, configs_);
  AnimatePlan plan;
  plan.selection = family::select_poses(poses, request.frame_interval, request.max_frames);
  if (!plan.selection.note.empty()) plan.notes.push_back(plan.selection.note);
  plan.notes.insert(plan.notes.end(), model_notes_.begin(), model_notes_.end());

  const std::int64_t downscale = configs_.autoencoder.downscale();
  plan.latent = {1, static_cast<std::int64_t>(plan.selection.indices.size()), request.height / downscale,
                 request.width / downscale};
  plan.output_width = request.width * (request.comparison ? 3 : 1);
  plan.output_height = request.height;
  plan.timesteps = request.sampling.step_count();
  plan_sampling(request, configs_.unet, plan);
  plan_memory(request, plan);
  return plan;
}

AnimatePlan plan_animation(const family::AnimateRequest& request, const family::ModelConfigs& configs,
                           const family::RuntimeOptions& options, const PreviewOptions& preview) {
  return AnimationPlanner(configs, options, preview).plan(request);
}

double estimate_seconds(const AnimatePlan& plan, const Compute& compute) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, at::ScalarType>, double> speeds;
  const std::lock_guard lock(mutex);
  double& speed = speeds[{compute.device.str(), compute.dtype}];
  if (speed == 0) speed = measure_speed(compute);
  return plan.unet_operations / speed / kUNetEfficiency;
}

}  // namespace unianimate::pipeline
