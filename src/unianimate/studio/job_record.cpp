#include "unianimate/studio/job_record.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "unianimate/core/content_hash.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/media/film/video_writer.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

using nlohmann::ordered_json;

fs::path absolute_path(const fs::path& path) {
  return path.empty() ? path : fs::absolute(path).lexically_normal();
}

/// How values that JSON has no word for are written and read.
ordered_json written(const fs::path& path) {
  return path.string();
}
ordered_json written(diffusion::TimestepSpacing spacing) {
  return diffusion::timestep_spacing_name(spacing);
}
ordered_json written(diffusion::NoisePriorOrder order) {
  return diffusion::noise_prior_order_name(order);
}
ordered_json written(Color color) {
  return color_text(color);
}
ordered_json written(family::PoseOrder order) {
  return order == family::PoseOrder::kNatural ? "natural" : "published";
}
ordered_json written(diffusion::ContextSchedule schedule) {
  return diffusion::context_schedule_name(schedule);
}
ordered_json written(diffusion::ContextWeights weights) {
  return diffusion::context_weights_name(weights);
}
ordered_json written(const family::ConditionSet& conditions) {
  return conditions.names();
}
template <typename T>
ordered_json written(const T& value) {
  return value;
}

void read(const ordered_json& json, fs::path& path) {
  const auto text = json.get<std::string>();
  if (text.find('\0') != std::string::npos) {
    throw Error(ErrorKind::kInput, "'{}' is no path", printable(text));
  }
  path = text;
}
void read(const ordered_json& json, diffusion::TimestepSpacing& spacing) {
  spacing = diffusion::parse_timestep_spacing(json.get<std::string>());
}
void read(const ordered_json& json, diffusion::NoisePriorOrder& order) {
  order = diffusion::parse_noise_prior_order(json.get<std::string>());
}
void read(const ordered_json& json, Color& color) {
  const Color parsed = parse_color(json.get<std::string>());
  color = {parsed.red, parsed.green, parsed.blue};
}
void read(const ordered_json& json, family::PoseOrder& order) {
  const auto name = json.get<std::string>();
  if (name != "natural" && name != "published") {
    throw Error(ErrorKind::kInput, "'{}' is no order of poses", printable(name));
  }
  order = name == "natural" ? family::PoseOrder::kNatural : family::PoseOrder::kPublished;
}
void read(const ordered_json& json, diffusion::ContextSchedule& schedule) {
  schedule = diffusion::parse_context_schedule(json.get<std::string>());
}
void read(const ordered_json& json, diffusion::ContextWeights& weights) {
  weights = diffusion::parse_context_weights(json.get<std::string>());
}
void read(const ordered_json& json, family::ConditionSet& conditions) {
  conditions = family::ConditionSet::parse(json.get<std::string>());
}
template <typename T>
void read(const ordered_json& json, T& value) {
  json.get_to(value);
}
template <std::integral T>
requires(!std::same_as<T, bool>) void read(const ordered_json& json, T& value) {
  const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                              : json.is_number_integer() && std::in_range<T>(json.get<std::int64_t>());
  if (!fits) throw Error(ErrorKind::kInput, "'{}' is no whole number in range", printable(json.dump()));
  json.get_to(value);
}

class Writer {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    object_[name] = written(value);
  }
  template <typename T>
  void added(const char* name, const T& value, const T& /*before*/) {
    (*this)(name, value);
  }
  template <typename T>
  void optional(const char* name, const std::optional<T>& part) {
    if (!part) return;
    T copy = *part;
    section(name, copy);
  }
  template <typename T>
  void list(const char* name, std::vector<T>& parts) {
    object_[name] = ordered_json::array();
    for (T& part : parts) {
      Writer inner;
      visit(inner, part);
      object_[name].push_back(std::move(inner.object_));
    }
  }
  template <typename T>
  void section(const char* name, T& part) {
    Writer inner;
    visit(inner, part);
    object_[name] = std::move(inner.object_);
  }
  [[nodiscard]] const ordered_json& object() const { return object_; }

 private:
  ordered_json object_ = ordered_json::object();
};

class Reader {
 public:
  explicit Reader(const ordered_json& object) : object_(object) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    read(object_.at(name), value);
  }
  /// A field that jobs begun by earlier versions lack, and what it was `before`.
  template <typename T>
  void added(const char* name, T& value, const T& before) {
    value = before;
    if (object_.contains(name)) (*this)(name, value);
  }
  template <typename T>
  void optional(const char* name, std::optional<T>& part) {
    part.reset();
    if (object_.contains(name)) section(name, part.emplace());
  }
  template <typename T>
  void list(const char* name, std::vector<T>& parts) {
    for (const ordered_json& json : object_.at(name)) {
      Reader inner(json);
      visit(inner, parts.emplace_back());
    }
  }
  template <typename T>
  void section(const char* name, T& part) {
    Reader inner(object_.at(name));
    visit(inner, part);
  }

 private:
  const ordered_json& object_;
};

/// Some fields are optional numbers, written as an object of one.
template <typename Archive, typename Number>
requires std::is_arithmetic_v<Number>
void visit(Archive& archive, Number& number) {
  archive("value", number);
}

template <typename Archive>
void visit(Archive& archive, Color& color) {
  archive("color", color);
}

template <typename Archive>
void visit(Archive& archive, family::ChainOptions& chain) {
  archive("segment_size", chain.segment_size);
  archive("segment_overlap", chain.segment_overlap);
  archive("color_match", chain.color_match);
}

template <typename Archive>
void visit(Archive& archive, family::AnimateRequest& request) {
  archive("reference", request.reference);
  archive.optional("background", request.background);
  archive("poses", request.poses);
  archive.added("pose_order", request.pose_order, family::PoseOrder::kPublished);
  archive("width", request.width);
  archive("height", request.height);
  archive.optional("max_frames", request.max_frames);
  archive("frame_interval", request.frame_interval);
  archive("steps", request.sampling.steps);
  archive("timestep_spacing", request.sampling.spacing);
  archive("eta", request.sampling.eta);
  archive("guidance_scale", request.guidance_scale);
  archive("seed", request.seed);
  archive("noise_prior", request.noise_prior);
  archive("noise_prior_order", request.noise_prior_order);
  archive("context_size", request.context.size);
  archive("context_overlap", request.context.overlap);
  archive("context_batch_size", request.context.batch_size);
  archive("context_schedule", request.context.schedule);
  archive("context_weights", request.context.weights);
  archive.optional("chain", request.chain);
  archive("conditions", request.conditions);
  archive("decode_batch", request.decode_batch);
  archive("comparison", request.comparison);
}

template <typename Archive>
void visit(Archive& archive, AudioSource& audio) {
  archive("file", audio.file);
  archive("start_seconds", audio.start_seconds);
}

template <typename Archive>
void visit(Archive& archive, family::LoraFile& lora) {
  archive("path", lora.path);
  archive("scale", lora.scale);
}

template <typename Archive>
void visit(Archive& archive, JobRecord& record) {
  archive("output", record.job.output);
  archive("frames_per_second", record.job.frames_per_second);
  archive("encoder_threads", record.job.threads);
  archive.optional("audio", record.job.audio);
  archive.section("request", record.job.request);
  archive("unet", record.files.unet);
  archive("autoencoder", record.files.autoencoder);
  archive("clip", record.files.clip);
  archive("description", record.files.description);
  archive("device", record.device);
  archive("dtype", record.dtype);
  archive("memory_budget", record.memory_budget);
  archive("latent_memory", record.latent_memory);
  archive.list("loras", record.loras);
  archive("allow_nonfinite", record.allow_nonfinite);
  archive("save_every", record.save_every);
  archive("keep", record.keep);
  archive("preview_every", record.preview.every);
  archive("preview_decoded", record.preview.decoded);
  archive("preview", record.preview.file);
  archive("inputs", record.inputs);
}

/// Whether `json` has no other fields and values than `known`.
bool holds_only(const ordered_json& json, const ordered_json& known) {
  if (!json.is_object() || !known.is_object()) return json == known;
  return std::ranges::all_of(json.items(), [&](const auto& field) {
    return known.contains(field.key()) && holds_only(field.value(), known.at(field.key()));
  });
}

void check(const JobRecord& record) {
  record.job.request.check();
  const VideoJob& job = record.job;
  VideoFormat{job.request.width, job.request.height, job.frames_per_second, job.threads}.check();
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
  for (const family::LoraFile& lora : record.loras) {
    require_path(lora.path, "loras.path");
    require(std::isfinite(lora.scale), "loras.scale");
  }
  require(record.device == "cpu" || record.device == "cuda", "device");
  const bool half = record.dtype == dtype_name(at::kHalf);
  const bool known = half || record.dtype == dtype_name(at::kFloat) || record.dtype == dtype_name(at::kBFloat16);
  require(known && !(half && record.device == "cpu"), "dtype");
  constexpr int kMostThreads = 1024;
  require(job.threads <= kMostThreads, "encoder_threads");
  require(!job.audio || std::isfinite(job.audio->start_seconds), "audio.start_seconds");
  require(record.memory_budget >= 0, "memory_budget");
  require(record.latent_memory >= 0, "latent_memory");
  require(record.save_every > 0, "save_every");
  require(record.preview.every >= 0, "preview_every");
}

}  // namespace

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
                  absolute_path(files.description)};
  record.device = runtime.compute.device.is_cuda() ? "cuda" : "cpu";
  record.dtype = dtype_name(runtime.compute.dtype);
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
  for (const family::LoraFile& lora : runtime.loras) add(lora.path);
  if (job.audio) add(job.audio->file);
  return record;
}

void require_unchanged_inputs(const JobRecord& record, const fs::path& folder) {
  for (const auto& [path, hash] : record.inputs) {
    std::error_code ignored;
    const bool there = fs::is_regular_file(path, ignored);
    if (there && sampled_hash(path) == hash) continue;
    throw Error(ErrorKind::kInput,
                "the job in {} cannot go on: {} {} since it was begun; put back what was there, or remove the job with "
                "'unianimate job delete' and begin anew",
                printable(folder.string()), printable(path), there ? "has changed" : "is gone");
  }
}

void require_same_poses(const JobRecord& record, const pipeline::AnimatePlan& plan) {
  for (const std::int64_t index : plan.selection.indices) {
    const fs::path pose = absolute_path(plan.pose_folder.poses[static_cast<std::size_t>(index)]);
    if (record.inputs.contains(pose.string())) continue;
    throw Error(
        ErrorKind::kInput,
        "the job cannot go on: the poses in {} are others since it was begun, {} for one; put back what was there",
        printable(pose.parent_path().string()), printable(pose.filename().string()));
  }
}

ordered_json request_json(const family::AnimateRequest& request) {
  family::AnimateRequest copy = request;
  Writer writer;
  visit(writer, copy);
  return writer.object();
}

std::string job_record_text(const JobRecord& record) {
  JobRecord copy = record;
  Writer writer;
  visit(writer, copy);
  try {
    return writer.object().dump();
  } catch (const ordered_json::exception&) {
    throw Error(ErrorKind::kUsage,
                "a path of this video ({}) is not UTF-8, which a job folder needs; rename it, or go without one with "
                "--save-every 0",
                printable(record.job.output.string()));
  }
}

JobRecord read_job_record(const std::string& text, const fs::path& file) {
  JobRecord record;
  try {
    const ordered_json json = ordered_json::parse(text);
    Reader reader(json);
    visit(reader, record);
    check(record);
    if (!holds_only(json, ordered_json::parse(job_record_text(record)))) {
      throw Error(ErrorKind::kInput, "it holds something that this program does not write there");
    }
  } catch (const ordered_json::exception& error) {
    throw Error(ErrorKind::kInput, "{} does not describe a job: {}", printable(file.string()), printable(error.what()));
  } catch (const Error& error) {
    throw Error(ErrorKind::kInput, "{} does not describe a job: {}", printable(file.string()), error.what());
  }
  return record;
}

}  // namespace unianimate::studio
