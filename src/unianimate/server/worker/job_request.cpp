#include "unianimate/server/worker/job_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/core/json_text.h"
#include "unianimate/families/families.h"
#include "unianimate/family/distillation.h"
#include "unianimate/family/presets.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/studio/align_fields.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/model_library.h"
#include "unianimate/studio/ordered_poses.h"
#include "unianimate/studio/video_order_fields.h"

namespace unianimate::worker {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr const char* kOrder = "order";
constexpr const char* kFormat = "format";

/// A row's JSON.
struct RowRequest {
  json order;
  RowOptions options;
};

/// With files in place of the ids of assets.
RowRequest read_row(const std::string& request, const ResolveAsset& resolve) {
  constexpr int kDeepest = 16;
  const json whole = parse_json(request, "the request", kDeepest);
  if (!whole.is_object() || !whole.contains(kOrder) || !whole.at(kOrder).is_object()) {
    throw Error(ErrorKind::kInput, "the request must be an object with an object \"order\"");
  }
  RowRequest row;
  fields::JsonReader reader(whole, {}, fields::Missing::kLeft);
  reader.pass_over(kOrder);
  visit(reader, row.options);
  reader.finish();
  row.order = whole.at(kOrder);
  for (const char* name : kFileFields) {
    const auto found = row.order.find(name);
    if (found == row.order.end()) continue;
    if (!found->is_string()) throw Error(ErrorKind::kInput, "{} must be the id of a file", name);
    *found = resolve(found->get<std::string>()).string();
  }
  return row;
}

/// What models say of themselves in what is read before they are opened.
struct KnownModels {
  family::AnimateRequest defaults;
  std::optional<family::Distillation> distillation;
};

/// None where nobody says which are meant, and for broken ones: the job tells what is wrong with these.
std::optional<KnownModels> known_models(const ModelChoice& choice, const std::filesystem::path& models) {
  if (models.empty() || choice.model.empty()) return std::nullopt;
  try {
    const std::filesystem::path folder = studio::model_by_name(models, choice.model);
    const std::vector<family::LoraFile> loras = lora_files(choice, models);
    KnownModels known{families::default_request(folder, loras), families::find_distillation(folder, loras)};
    // Whoever is refused need not know where it lies.
    if (known.distillation) known.distillation->file = known.distillation->file.filename();
    return known;
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Throws for what all models refuse: what is not said may be whatever models say of themselves.
void check_for_any_models(const std::string& request, const json& order, const ResolveAsset& resolve) {
  constexpr std::int64_t kManyFrames = 1'000'000;
  std::optional<Error> refusal;
  for (const std::int64_t steps : {30, 4, 2, 1}) {
    family::AnimateRequest defaults;
    defaults.sampling.steps = steps;
    defaults.context.size = kManyFrames;
    defaults.context.overlap = 0;
    family::AnimateRequest asked = read_video_request(request, defaults, resolve).order.job.request;
    const bool says_timesteps =
        asked.preset != family::Preset::kExact ||
        (order.contains("timesteps") &&
         (order.contains("steps") || asked.sampling.timesteps.rule == diffusion::TimestepRule::kOwn));
    // Some model is asked at a timestep within any interval.
    if (!says_timesteps && asked.shortcuts.guidance_interval) asked.shortcuts.guidance_interval.emplace();
    try {
      return asked.check();
    } catch (const Error& error) {
      if (!refusal) refusal = error;
    }
  }
  throw Error(*refusal);
}

}  // namespace

void require_names(const ModelChoice& choice, const RefuseChoice& refuse) {
  const auto require = [&](const std::string& part, std::string_view name) {
    const auto is_of_path = [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' '; };
    if (!name.empty() && name.front() != '.' && std::ranges::none_of(name, is_of_path)) return;
    refuse(part,
           Error(ErrorKind::kUsage,
                 "'{}' is no name: expected one without /, \\ and control characters that does not begin with a dot",
                 printable(name)));
  };
  if (!choice.model.empty()) require("model", choice.model);
  for (std::size_t i = 0; i < choice.loras.size(); ++i) require(fmt::format("loras/{}/name", i), choice.loras[i].name);
}

void settle_models(ModelChoice& choice, const std::filesystem::path& models, const RefuseChoice& refuse) {
  const auto require = [&](const std::string& part, const auto& find) {
    try {
      find();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
      refuse(part, error);
    }
  };
  if (choice.model.empty()) {
    choice.model = studio::default_model(models);
  } else {
    require("model", [&] { studio::model_by_name(models, choice.model); });
  }
  for (std::size_t i = 0; i < choice.loras.size(); ++i) {
    require(fmt::format("loras/{}/name", i), [&] { studio::lora_by_name(models, choice.loras[i].name); });
  }
}

std::vector<family::LoraFile> lora_files(const ModelChoice& choice, const std::filesystem::path& models) {
  std::vector<family::LoraFile> files;
  for (const NamedLora& lora : choice.loras) files.push_back({studio::lora_by_name(models, lora.name), lora.scale});
  return files;
}

void visit(fields::Archive& archive, NamedLora& lora) {
  archive("name", lora.name, "One of those that the server has");
  archive("scale", lora.scale, "How strongly it acts");
}

void visit(fields::Archive& archive, ModelChoice& choice) {
  archive("model", choice.model, "Models to make the video with, by their name on the server");
  archive.list("loras", choice.loras, "LoRA files to correct the model with, by their names on the server");
}

void visit(fields::Archive& archive, RowOptions& options) {
  archive(kFormat, options.format);
  visit(archive, options.models);
}

fields::Filter video_fields() {
  return fields::all_but({"output", "saved_poses", "folder", "keep"});
}

fields::Filter align_fields() {
  return fields::all_but({"output", "openpose", "comfyui", "detect_only"});
}

fields::Filter motion_settings() {
  return [motion = studio::motion_fields()](const fields::Field& field) {
    return motion(field) && std::string_view(field.name) != "preview";
  };
}

std::string request_text(const ordered_json& order, const RowOptions& options) {
  ordered_json row{{"order", order}};
  row.update(fields::write_json(options, [&](const fields::Field& field) {
    const std::string_view name = field.name;
    if (name == "model") return !options.models.model.empty();
    return name != "loras" || !options.models.loras.empty();
  }));
  return row.dump();
}

RowOptions read_row_options(const std::string& request) {
  return read_row(request, [](const std::string& id) { return std::filesystem::path(id); }).options;
}

VideoAsked read_video_request(const std::string& request, const family::AnimateRequest& defaults,
                              const ResolveAsset& resolve) {
  const RowRequest row = read_row(request, resolve);
  VideoAsked asked{{}, row.options.format};
  studio::VideoOrder& order = asked.order;
  order.job.request = family::with_preset(defaults, [&](family::AnimateRequest& settings) {
    order.job.request = settings;
    fields::read_json(row.order, {}, order, fields::Missing::kLeft, video_fields());
    settings = order.job.request;
  });
  if (order.keeping.save_every == 0) {
    throw Error(ErrorKind::kUsage,
                "save_every must be at least 1 for a job of the queue, which goes on from what is saved");
  }
  order.check();
  return asked;
}

studio::AlignOrder read_align_request(const std::string& request, const ResolveAsset& resolve) {
  const RowRequest row = read_row(request, resolve);
  studio::AlignOrder order;
  fields::read_json(row.order, {}, order, fields::Missing::kLeft, align_fields());
  order.request.check();
  return order;
}

ordered_json shown_request(const std::string& request) {
  static const ordered_json kAlign = fields::write_json(studio::MotionOptions(), motion_settings());
  const ordered_json row = ordered_json::parse(request, nullptr, false);
  if (!row.is_object() || !row.contains(kOrder) || !row.at(kOrder).is_object()) return nullptr;
  ordered_json shown;
  ordered_json align;
  ordered_json settings;
  for (const auto& [name, value] : row.at(kOrder).items()) {
    const bool is_file = std::find(kFileFields.begin(), kFileFields.end(), name) != kFileFields.end();
    (is_file ? shown : kAlign.contains(name) ? align : settings)[name] = value;
  }
  for (const auto& [name, value] : row.items()) {
    if (name != kOrder && name != kFormat) settings[name] = value;
  }
  if (!align.is_null()) shown["align"] = std::move(align);
  if (!settings.is_null()) shown["settings"] = std::move(settings);
  if (row.contains(kFormat)) shown[kFormat] = row.at(kFormat);
  return shown;
}

void check_request(queue::JobKind kind, const std::string& request, const std::filesystem::path& models,
                   const ResolveAsset& resolve, const NameOfField& name_of) {
  const RowRequest row = read_row(request, resolve);
  const json& order = row.order;
  const studio::RefuseGiven refuse_given = [&](const fields::Filter& filter, std::string_view when) {
    const auto refuse = [&](const fields::Field& field) {
      const auto given = order.find(field.name);
      if (!filter(field) || given == order.end() || given->is_null()) return false;
      throw Error(ErrorKind::kUsage, "{} has no effect {}; leave it out", name_of(field), when);
    };
    fields::write_json(studio::VideoOrder(), refuse);
  };
  if (kind == queue::JobKind::kAlign) {
    return studio::refuse_unused_options(read_align_request(request, resolve).request, refuse_given);
  }
  const auto known = known_models(row.options.models, models);
  VideoAsked asked = read_video_request(request, known ? known->defaults : family::AnimateRequest(), resolve);
  asked.order.refuse_given = refuse_given;
  studio::refuse_unused_fields(asked.order);
  if (!known) return check_for_any_models(request, order, resolve);
  asked.order.job.request.check();
  if (known->distillation) studio::check_distilled(*known->distillation, asked.order.job.request);
}

}  // namespace unianimate::worker
