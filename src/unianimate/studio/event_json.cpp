#include "unianimate/studio/event_json.h"

#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include "unianimate/family/presets.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/studio/align_fields.h"
#include "unianimate/studio/job_keeping_fields.h"

namespace unianimate::studio {

using nlohmann::ordered_json;

ordered_json machine_json(const family::ModelFiles& files, const family::RuntimeOptions& runtime) {
  ordered_json loras = ordered_json::array();
  for (const family::LoraFile& lora : runtime.loras) {
    loras.push_back({{"file", lora.path.string()}, {"scale", lora.scale}});
  }
  return {{"unet", files.unet.string()},
          {"autoencoder", files.autoencoder.string()},
          {"clip", files.clip.string()},
          {"small_decoder",
           files.small_decoder.empty() ? ordered_json(nullptr) : ordered_json(files.small_decoder.string())},
          {"loras", std::move(loras)},
          {"device", runtime.compute.device.str()},
          {"dtype", dtype_name(runtime.compute)},
          {"threads", at::get_num_threads()},
          {"memory_budget", runtime.memory_budget},
          {"latent_memory", runtime.latent_memory}};
}

ordered_json motion_json(const PlannedMotion& motion) {
  ordered_json object{{"file", motion.request.motion.string()}, {"poses", motion.poses}};
  object.update(fields::write_json(static_cast<const MotionOptions&>(motion.request)));
  return object;
}

namespace {

/// Null for the exact one.
ordered_json preset_json(const family::AnimateRequest& request) {
  if (request.preset == family::Preset::kExact) return nullptr;
  ordered_json object{{"name", fields::word(request.preset)}, {"options", family::preset_options(request)}};
  if (family::keeps_preset(request)) {
    const family::PresetEntry& entry = family::preset_entry(request.preset);
    object["times_less_work"] = entry.times_less_work;
    if (family::is_as_measured(request)) {
      object["psnr"] = entry.psnr;
      object["worst_psnr"] = entry.worst_psnr;
    }
  }
  return object;
}

/// Null where no frame is guessed; `frames` are those that the models make.
ordered_json interpolation_json(const VideoJob& job, std::int64_t frames) {
  if (job.interpolate == 1) return nullptr;
  return {
      {"times", job.interpolate}, {"frames", frames * job.interpolate}, {"frames_per_second", job.shown_per_second()}};
}

ordered_json keeping_json(const PlannedVideo& video) {
  ordered_json object = fields::write_json(video.keeping);
  object["folder"] = video.job_folder.empty() ? ordered_json(nullptr) : ordered_json(video.job_folder.string());
  return object;
}

/// What of it is computed by models; null where nothing is.
void add_operations(double operations, double seconds, ordered_json& phase) {
  const bool counted = operations > 0 && seconds > 0;
  phase["operations"] = counted ? ordered_json(operations) : ordered_json();
  phase["operations_per_second"] = counted ? ordered_json(operations / seconds) : ordered_json();
}

ordered_json estimates_json(const std::vector<pipeline::PhaseEstimate>& phases) {
  ordered_json list = ordered_json::array();
  for (const pipeline::PhaseEstimate& phase : phases) {
    ordered_json& entry = list.emplace_back();
    entry = {{"name", pipeline::phase_name(phase.kind)}, {"seconds", phase.seconds}};
    add_operations(phase.operations, phase.seconds, entry);
  }
  return list;
}

}  // namespace

ordered_json plan_json(const PlannedVideo& video) {
  ordered_json conditions = ordered_json::array();
  for (const family::Condition condition : video.job.request.conditions.conditions()) {
    conditions.push_back(family::condition_name(condition));
  }
  const std::optional<Color>& background = video.job.request.background;
  return {{"output", video.job.output.string()},
          {"width", video.plan.output_width},
          {"height", video.plan.output_height},
          {"frames", video.plan.frames()},
          {"frame_interval", video.plan.selection.frame_interval},
          {"timesteps", video.plan.timesteps},
          {"windows", video.plan.windows},
          {"unet_calls", video.plan.model_calls},
          {"pass_equivalents", video.plan.pass_equivalents},
          {"preset", preset_json(video.job.request)},
          {"seed", video.job.request.seed},
          {"conditions", conditions},
          {"background", background ? ordered_json(color_text(*background)) : ordered_json()},
          {"device", video.runtime.compute.device.str()},
          {"dtype", dtype_name(video.runtime.compute)},
          {"estimated_bytes", video.plan.peak_bytes},
          {"feature_bytes", video.plan.feature_bytes},
          {"estimated_seconds",
           video.phases.empty() ? ordered_json(nullptr) : ordered_json(pipeline::total_seconds(video.phases))},
          {"estimated_phases", estimates_json(video.phases)},
          {"keeps_all_models", video.plan.residency.all_models},
          {"notes", video.plan.notes},
          {"frames_per_second", video.job.frames_per_second},
          {"interpolation", interpolation_json(video.job, video.plan.frames())},
          {"segments", video.plan.segments},
          {"request", fields::write_json(video.job.request)},
          {"audio", video.job.audio ? ordered_json(video.job.audio->file.string()) : ordered_json(nullptr)},
          {"motion", video.motion ? motion_json(*video.motion) : ordered_json(nullptr)},
          {"job", keeping_json(video)},
          {"machine", machine_json(video.files, video.runtime)},
          {"processes", video.processes}};
}

ordered_json result_json(const FinishedVideo& video) {
  ordered_json phases = ordered_json::array();
  for (const pipeline::Phase& phase : video.report.phases) {
    ordered_json& entry = phases.emplace_back();
    entry = {{"name", phase.place.name()}, {"seconds", phase.seconds}, {"peak_bytes", phase.peak_bytes}};
    add_operations(phase.operations, phase.seconds, entry);
  }
  return {{"output", video.job.output.string()},
          {"width", video.report.width},
          {"height", video.report.height},
          {"frames", video.report.frames},
          {"interpolation", interpolation_json(video.job, video.report.frames)},
          {"seconds", video.seconds},
          {"unet_calls", video.report.model_calls},
          {"pass_equivalents", video.report.pass_equivalents},
          {"left_out", video.job.request.shortcuts.texts()},
          {"preset", preset_json(video.job.request)},
          {"processes", video.processes},
          {"phases", phases},
          {"notes", video.report.notes}};
}

ordered_json poses_json(const AlignedMotion& motion) {
  const pose::PoseSequence& poses = motion.result.poses.motion;
  const pose::AlignmentReport& report = motion.result.poses.report;
  ordered_json bones = ordered_json::array();
  for (const pose::BoneRatio& bone : report.bones) {
    bones.push_back({{"bone", bone.bone}, {"ratio", bone.ratio}, {"source", bone.source}});
  }
  return {{"output", motion.request.output.string()},
          {"report", motion.result.report_folder.string()},
          {"width", poses.width},
          {"height", poses.height},
          {"frames", poses.frames.size()},
          {"frames_per_second", poses.frames_per_second},
          {"frames_found", motion.result.frames_found},
          {"frames_looked_at", motion.result.frames_looked_at},
          {"from_cache", motion.result.from_cache},
          {"detection_seconds", motion.result.detection_seconds},
          {"detector", poses.detector},
          {"alignment", report.method},
          {"scale_x", report.scale_x},
          {"scale_y", report.scale_y},
          {"bones", bones},
          {"missing_frames", report.missing_frames},
          {"notes", report.notes}};
}

ordered_json people_json(const DetectedMotion& motion) {
  ordered_json tracks = ordered_json::array();
  for (const auto& [track, frames] : pose::count_tracks(motion.poses)) {
    tracks.push_back({{"track", track}, {"frames", frames}});
  }
  return {{"output", motion.request.output.string()},
          {"width", motion.poses.width},
          {"height", motion.poses.height},
          {"frames", motion.poses.frames.size()},
          {"frames_per_second", motion.poses.frames_per_second},
          {"detector", motion.poses.detector},
          {"tracks", tracks}};
}

}  // namespace unianimate::studio
