#include "unianimate/pipeline/plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/error_causes.h"
#include "unianimate/core/memory.h"
#include "unianimate/diffusion/sampler.h"
#include "unianimate/family/pose_pictures.h"
#include "unianimate/pipeline/clip_tensor.h"
#include "unianimate/pipeline/predictor.h"
#include "unianimate/pipeline/reference_notes.h"
#include "unianimate/pipeline/sampling_cost.h"
#include "unianimate/pipeline/segments.h"

namespace unianimate::pipeline {

namespace {

/// The program itself, its libraries and the pictures in flight.
constexpr std::int64_t kProgramBytes = 700'000'000;

/// How often segments have which length.
std::map<std::int64_t, std::int64_t> count_segments(std::int64_t frames, const family::AnimateRequest& request) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const Segment& segment : video_segments(frames, request)) ++counts[segment.size];
  return counts;
}

/// Decoded pictures that wait: for all of their segment where its colours are matched, and for the next segment.
std::int64_t waiting_pictures(const AnimatePlan& plan) {
  const family::AnimateRequest& request = plan.request;
  if (!request.chain) return 0;
  const std::int64_t shared = plan.segments > 1 ? 2 * request.chain->segment_overlap : 0;
  const std::int64_t pictures = shared + (request.chain->color_match ? plan.largest_segment : 0);
  return pictures * Image::kChannels * request.width * request.height;
}

/// What follows from deep features that are reused.
void note_features(AnimatePlan& plan) {
  const diffusion::ShortcutOptions& shortcuts = plan.request.shortcuts;
  if (!shortcuts.reuses_features()) return;
  if (plan.windows > plan.segments && plan.request.context.schedule == diffusion::ContextSchedule::kMoving) {
    const bool once = shortcuts.features_every() >= plan.request.sampling.step_count();
    plan.notes.push_back(fmt::format("context windows {}, when the features below level {} are computed{}",
                                     once ? "stay where they are in the first step"
                                          : fmt::format("move only every {} steps", shortcuts.features_every()),
                                     shortcuts.features_below(), once ? "" : " anew"));
  }
}

/// 8 bits have one range for all that goes through a layer at once.
void note_shared_ranges(AnimatePlan& plan, const family::RuntimeOptions& runtime) {
  if (!runtime.compute.int8) return;
  const auto note = [&](const char* option, std::int64_t at_once, std::int64_t of) {
    if (std::min(at_once, of) <= 1) return;
    plan.notes.push_back(
        fmt::format("in 8 bits what is computed at once shares its range, so that {} {} makes another video than 1",
                    option, at_once));
  };
  note("context_batch_size", plan.request.context.batch_size, plan.windows);
  note("decode_batch", plan.request.decode_batch, plan.frame_count);
}

/// The full decoder where that is asked for, else the small one where there is one that fits. None: the linear map, or
/// no previews. A note where a small one is there in vain: previews are no reason to stop.
std::optional<family::DecoderChoice> choose_preview_decoder(const family::Family& family, const PreviewOptions& preview,
                                                            std::vector<std::string>& notes) {
  if (preview.every == 0) return std::nullopt;
  if (preview.decoded) return family::DecoderChoice::kFull;
  try {
    return family.has_small_decoder() ? std::optional(family::DecoderChoice::kSmall) : std::nullopt;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    notes.push_back(fmt::format("previews are made without the small decoder: {}", error.what()));
    return std::nullopt;
  }
}

}  // namespace

void check_size(int width, int height, const family::ClipGeometry& geometry) {
  const std::int64_t unit = geometry.side_unit;
  const auto suits = [&](int side) { return side % unit == 0; };
  const auto nearest = [&](int side) { return std::max<std::int64_t>(1, (side + unit / 2) / unit) * unit; };
  if (suits(width) && suits(height)) return;
  throw Error(ErrorKind::kUsage, "the sides of {}x{} must be multiples of {} for these models; near is {}x{}", width,
              height, unit, nearest(width), nearest(height));
}

AnimationPlanner::AnimationPlanner(const family::Family& family, const PreviewOptions& preview,
                                   std::int64_t sink_pixel_bytes)
    : family_(family),
      preview_(preview),
      sink_pixel_bytes_(sink_pixel_bytes),
      model_notes_(family.check()),
      preview_decoder_(choose_preview_decoder(family, preview, model_notes_)) {}

/// Passes through the model, and what they take.
void AnimationPlanner::plan_sampling(AnimatePlan& plan) const {
  for (const auto& [size, count] : count_segments(plan.frames(), plan.request)) {
    const family::ClipShape clip{family_.geometry().latents_of(size), plan.latent.height, plan.latent.width};
    const SamplingCost cost = sampling_cost(family_, plan.request, clip);
    plan.windows += count * cost.windows;
    plan.model_calls += count * cost.calls;
    plan.pass_equivalents += static_cast<double>(count) * cost.pass_equivalents;
    plan.model_operations += static_cast<double>(count) * cost.operations;
    plan.feature_bytes = std::max(plan.feature_bytes, cost.feature_bytes);
    plan.carried_bytes = std::max(plan.carried_bytes, cost.carried_bytes);
    plan.segments += count;
    plan.largest_segment = std::max(plan.largest_segment, size);
  }
}

/// Who decodes, and what that takes.
void AnimationPlanner::plan_decoding(AnimatePlan& plan) const {
  const family::DecoderChoice decoder = plan.request.decoder;
  if (decoder == family::DecoderChoice::kSmall && !family_.has_small_decoder()) {
    throw Error(ErrorKind::kUsage,
                "there is no small decoder beside these models; train one with 'unianimate train' "
                "(docs/training.md, \"A small decoder\"), or leave --decoder small out");
  }
  plan.decoding_operations = family_.decoding_operations(plan.latent, decoder);
  if (preview_decoder_) {
    const auto previews = static_cast<double>(plan.timesteps / preview_.every);
    plan.decoding_operations += previews * family_.decoding_operations(plan.latent, *preview_decoder_);
  }
}

/// What of poses and latents stays in memory, which does not grow once the video is long enough.
std::int64_t AnimationPlanner::bytes_beside_models(const AnimatePlan& plan, const family::Workload& work) const {
  const family::AnimateRequest& request = plan.request;
  const auto sampler = diffusion::make_sampler(family_.process(), request.sampling);
  const auto clips = static_cast<std::int64_t>(1 + (sampler->draws_noise() ? 1 : 0) + sampler->state_names().size()) +
                     request.shortcuts.kept_latents();
  return family::PosePictures::bytes_kept(plan.frames(), request.width, request.height) +
         clips * ClipTensor::bytes_in_memory(plan.latent_bytes, family_.runtime().latent_memory) + plan.feature_bytes +
         plan.carried_bytes + ClipPredictor::bytes_kept(work.window, family_.geometry().channels, work.windows_at_once);
}

/// Decides what stays in memory and what that takes.
void AnimationPlanner::plan_memory(AnimatePlan& plan) const {
  const family::AnimateRequest& request = plan.request;
  const family::RuntimeOptions& runtime = family_.runtime();
  const diffusion::ContextWindowOptions windows = latent_windows(request.context, family_.geometry());
  const family::Workload work{
      .window = {std::min(plan.latent.latents, windows.size), plan.latent.height, plan.latent.width},
      .windows = plan.windows,
      .windows_at_once = std::clamp(plan.windows, std::int64_t{1}, windows.batch_size),
      .width = request.width,
      .height = request.height,
      .decoder = request.decoder,
      .decode_batch = request.decode_batch,
      .preview_decoder = preview_decoder_,
      .waiting_pictures = waiting_pictures(plan)};
  const bool on_cpu = runtime.compute.device.is_cpu();
  const std::int64_t sink = sink_pixel_bytes_ * plan.output_width * plan.output_height;
  const std::int64_t always = (on_cpu ? kProgramBytes + sink : 0) + bytes_beside_models(plan, work);

  const std::int64_t budget = runtime.memory_budget > 0 ? runtime.memory_budget : usable_bytes(runtime.compute.device);
  for (const family::MemoryUse& use : family_.memory(work)) {
    plan.residency = use.residency;
    plan.peak_bytes = always + use.bytes;
    if (plan.peak_bytes <= budget) return;
  }
  const std::string features =
      plan.feature_bytes == 0 ? ""
                              : fmt::format(", --reuse-every 1, which spares {}", format_bytes(plan.feature_bytes));
  throw OutOfMemory(
      "this animation needs about {} of memory and the budget is {}; use a smaller --size, a smaller "
      "--context-size{}{}{} or a larger --memory-budget",
      format_bytes(plan.peak_bytes), format_bytes(budget),
      runtime.compute.dtype == at::kFloat && !runtime.compute.int8 ? ", --dtype bf16" : "",
      work.preview_decoder == family::DecoderChoice::kFull ? ", no --preview-decoded" : "", features);
}

AnimatePlan AnimationPlanner::plan(const family::AnimateRequest& request) const {
  request.check();
  check_size(request.width, request.height, family_.geometry());
  std::vector<std::string> notes = reference_notes(request);
  family::PoseFolder folder = family::open_pose_folder(request.poses, request.pose_order);
  AnimatePlan plan = plan_for_poses(request, static_cast<std::int64_t>(folder.poses.size()));
  notes.insert(notes.end(), folder.notes.begin(), folder.notes.end());
  plan.notes.insert(plan.notes.begin(), notes.begin(), notes.end());
  plan.pose_folder = std::move(folder);
  return plan;
}

AnimatePlan AnimationPlanner::plan_for_poses(const family::AnimateRequest& request, std::int64_t poses) const {
  request.check();
  const family::ClipGeometry& geometry = family_.geometry();
  check_size(request.width, request.height, geometry);
  AnimatePlan plan;
  plan.request = request;
  plan.preview_decoder = preview_decoder_;
  plan.selection = family::select_poses(poses, request.frame_interval, request.frames);
  if (!plan.selection.note.empty()) plan.notes.push_back(plan.selection.note);
  plan.notes.insert(plan.notes.end(), model_notes_.begin(), model_notes_.end());
  if (std::string note = family_.process().note(request.sampling); !note.empty()) plan.notes.push_back(std::move(note));

  plan.frame_count = static_cast<std::int64_t>(plan.selection.indices.size());
  plan.latent = {geometry.latents_of(plan.frame_count), request.height / geometry.pixels_per_latent,
                 request.width / geometry.pixels_per_latent};
  plan.latent_bytes = geometry.channels * plan.latent.elements() * std::int64_t{sizeof(float)};
  plan.output_width = request.width * (request.comparison ? 3 : 1);
  plan.output_height = request.height;
  const auto sampler = diffusion::make_sampler(family_.process(), request.sampling);
  plan.timesteps = static_cast<std::int64_t>(sampler->levels().size());
  plan.kept_bytes = plan.latent_bytes *
                    (static_cast<std::int64_t>(1 + sampler->state_names().size()) + request.shortcuts.kept_latents());
  plan_sampling(plan);
  note_features(plan);
  note_shared_ranges(plan, family_.runtime());
  plan_decoding(plan);
  plan_memory(plan);
  return plan;
}

AnimatePlan plan_animation(const family::AnimateRequest& request, const family::Family& family,
                           const PreviewOptions& preview, std::int64_t sink_pixel_bytes) {
  return AnimationPlanner(family, preview, sink_pixel_bytes).plan(request);
}

}  // namespace unianimate::pipeline
