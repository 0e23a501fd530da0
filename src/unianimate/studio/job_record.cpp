#include "unianimate/studio/job_record.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "unianimate/core/content_hash.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/core/error_causes.h"
#include "unianimate/core/json_text.h"
#include "unianimate/family/lora_fields.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/media/film/audio_fields.h"
#include "unianimate/media/film/video_writer.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr int kDeepest = 8;
constexpr double kMostThreads = 1024;

fs::path absolute_path(const fs::path& path) {
  return path.empty() ? path : fs::absolute(path).lexically_normal();
}

void unwrap(json& request, const char* key, const char* inside, const char* now) {
  const auto found = request.find(key);
  if (found == request.end()) return;
  json value = found->is_object() && found->size() == 1 && found->contains(inside) ? found->at(inside) : *found;
  request.erase(found);
  request[now] = std::move(value);
}

/// Jobs were begun that call the frames "max_frames", write an optional value as an object of one, and do not say what
/// is computed beside 8 bits.
void take_former_spelling(json& record) {
  if (record.is_object() && !record.contains("rest_dtype")) record["rest_dtype"] = "";
  if (!record.is_object() || !record.contains("request") || !record.at("request").is_object()) return;
  json& request = record.at("request");
  if (!request.contains("frames")) unwrap(request, "max_frames", "value", "frames");
  unwrap(request, "background", "color", "background");
}

void check(const JobRecord& record) {
  record.job.request.check();
  const VideoJob& job = record.job;
  VideoFormat{job.request.width, job.request.height, job.shown_per_second(), job.threads}.check();
  const auto require = [](bool good, const char* name) {
    if (!good) throw Error(ErrorKind::kInput, "{} is out of range", name);
  };
  const auto require_path = [](const fs::path& path, const char* name) {
    if (!path.is_absolute()) {
      throw Error(ErrorKind::kInput, "{} is no absolute path, but '{}'", name, printable(path.string()));
    }
  };
  require_path(job.request.reference, "reference");
  require_path(job.request.poses, "poses");
  require_path(job.output, "output");
  if (job.audio) require_path(job.audio->file, "audio.file");
  require_path(record.files.unet, "unet");
  require_path(record.files.autoencoder, "autoencoder");
  require_path(record.files.clip, "clip");
  if (!record.files.description.empty()) require_path(record.files.description, "description");
  if (!record.files.small_decoder.empty()) require_path(record.files.small_decoder, "small_decoder");
  for (const family::LoraFile& lora : record.loras) {
    require_path(lora.path, "loras.path");
    require(std::isfinite(lora.scale), "loras.scale");
  }
  require(record.device == "cpu" || record.device == "cuda", "device");
  constexpr std::array<std::string_view, 3> kOfCpu{"fp32", "bf16", "int8"};
  constexpr std::array<std::string_view, 3> kOfCard{"fp32", "bf16", "fp16"};
  require(std::ranges::count(record.device == "cpu" ? kOfCpu : kOfCard, record.dtype) > 0, "dtype");
  const bool mixed = record.rest_dtype == "fp32" || record.rest_dtype == "bf16";
  require(record.rest_dtype.empty() || (mixed && record.dtype == "int8"), "rest_dtype");
}

}  // namespace

void visit(fields::Archive& archive, JobRecord& record) {
  archive("output", record.job.output);
  archive("frames_per_second", record.job.frames_per_second);
  archive("interpolate", record.job.interpolate, fields::range(1, kMostInterpolated), fields::before("1"));
  archive("encoder_threads", record.job.threads, fields::range(0, kMostThreads));
  archive.section("audio", record.job.audio);
  archive.section("request", record.job.request);
  archive("unet", record.files.unet);
  archive("autoencoder", record.files.autoencoder);
  archive("clip", record.files.clip);
  archive("description", record.files.description);
  archive("small_decoder", record.files.small_decoder, fields::before(""));
  archive("device", record.device);
  archive("dtype", record.dtype);
  archive("rest_dtype", record.rest_dtype);
  archive("memory_budget", record.memory_budget, fields::at_least(0));
  archive("latent_memory", record.latent_memory, fields::at_least(0));
  archive.list("loras", record.loras);
  archive("allow_nonfinite", record.allow_nonfinite);
  archive("save_every", record.save_every, fields::at_least(1));
  archive("keep", record.keep);
  archive("preview_every", record.preview.every, fields::at_least(0));
  archive("preview_decoded", record.preview.decoded);
  archive("preview", record.preview_file);
  archive("inputs", record.inputs);
}

JobRecord make_job_record(const VideoJob& job, const pipeline::AnimatePlan& plan, const family::ModelFiles& files,
                          const family::RuntimeOptions& runtime) {
  JobRecord record;
  record.job = job;
  record.job.poses_per_second.reset();
  record.job.request.reference = absolute_path(job.request.reference);
  record.job.request.poses = absolute_path(job.request.poses);
  // A name that ends in '/' asks for a folder.
  record.job.output = fs::absolute(job.output);
  if (record.job.audio) record.job.audio->file = absolute_path(job.audio->file);
  record.files = {absolute_path(files.unet), absolute_path(files.autoencoder), absolute_path(files.clip),
                  absolute_path(files.description), absolute_path(files.small_decoder)};
  record.device = runtime.compute.device.is_cuda() ? "cuda" : "cpu";
  record.dtype = dtype_name(runtime.compute);
  if (runtime.compute.int8) record.rest_dtype = dtype_name(runtime.compute.dtype);
  record.memory_budget = runtime.memory_budget;
  record.latent_memory = runtime.latent_memory;
  record.allow_nonfinite = runtime.allow_nonfinite;
  for (const family::LoraFile& lora : runtime.loras) record.loras.push_back({absolute_path(lora.path), lora.scale});

  const auto add = [&](const fs::path& file) {
    if (!file.empty()) record.inputs[absolute_path(file).string()] = sampled_hash(file);
  };
  add(job.request.reference);
  add(plan.pose_folder.reference_pose);
  for (const std::int64_t index : plan.selection.indices) {
    add(plan.pose_folder.poses[static_cast<std::size_t>(index)]);
  }
  for (const fs::path& file : {files.unet, files.autoencoder, files.clip, files.description}) add(file);
  // Else it makes previews, which may change.
  if (job.request.decoder == family::DecoderChoice::kSmall) add(files.small_decoder);
  for (const family::LoraFile& lora : runtime.loras) add(lora.path);
  if (job.audio) add(job.audio->file);
  return record;
}

void require_unchanged_inputs(const JobRecord& record, const fs::path& folder) {
  for (const auto& [path, hash] : record.inputs) {
    std::error_code ignored;
    const bool there = fs::is_regular_file(path, ignored);
    if (there && sampled_hash(path) == hash) continue;
    throw InputsChanged(
        "the job in {} cannot go on: {} {} since it was begun; put back what was there, or remove the job with "
        "'unianimate job delete' and begin anew",
        printable(folder.string()), printable(path), there ? "has changed" : "is gone");
  }
}

void require_same_poses(const JobRecord& record, const pipeline::AnimatePlan& plan) {
  for (const std::int64_t index : plan.selection.indices) {
    const fs::path pose = absolute_path(plan.pose_folder.poses[static_cast<std::size_t>(index)]);
    if (record.inputs.contains(pose.string())) continue;
    throw InputsChanged(
        "the job cannot go on: the poses in {} are others since it was begun, {} for one; put back what was there",
        printable(pose.parent_path().string()), printable(pose.filename().string()));
  }
}

std::string differing_fields(const JobRecord& one, const JobRecord& other) {
  const json first = json::parse(job_record_text(one));
  const json second = json::parse(job_record_text(other));
  std::string names;
  for (const auto& [name, value] : first.items()) {
    if (second.contains(name) && second.at(name) == value) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  }
  return names;
}

std::string job_record_text(const JobRecord& record) {
  try {
    return fields::write_json(record).dump();
  } catch (const json::exception&) {
    throw Error(ErrorKind::kUsage,
                "a path of this video ({}) is not UTF-8, which a job folder needs; rename it, or go without one with "
                "--save-every 0",
                printable(record.job.output.string()));
  }
}

JobRecord read_job_record(const std::string& text, const fs::path& file) {
  JobRecord record;
  try {
    json object = parse_json(text, file.string(), kDeepest);
    take_former_spelling(object);
    fields::read_json(object, {}, record, fields::Missing::kRefused);
    check(record);
  } catch (const Error& error) {
    throw Error(ErrorKind::kInput, "{} does not describe a job: {}", printable(file.string()), error.what());
  }
  return record;
}

}  // namespace unianimate::studio
