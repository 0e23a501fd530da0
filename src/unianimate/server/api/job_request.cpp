#include "unianimate/server/api/job_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/document.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/store/content_type.h"
#include "unianimate/server/worker/job_request.h"

namespace unianimate::server {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

/// The parts of a body whose fields lie side by side in a row, but for the settings that say which models.
constexpr const char* kAlign = "align";
constexpr const char* kSettings = "settings";
constexpr const char* kFormat = "format";
constexpr const char* kOrder = "order";
constexpr std::array kModelFields{"model", "loras"};

/// What a body says of files, as it stands in the order of a row.
struct Files {
  json order;
  std::vector<std::string> assets;
  std::optional<std::string> poses_job;
};

bool is_of_models(std::string_view name) {
  return std::find(kModelFields.begin(), kModelFields.end(), name) != kModelFields.end();
}

constexpr std::string_view kPictures = "image/";

/// Of one of the files, whose type has to begin so.
std::string required_asset(const json& body, const char* name, std::string_view type, queue::JobQueue& queue) {
  const auto id = body.at(name).get<std::string>();
  const auto asset = queue.find_asset(id);
  if (!asset) refuse_part(fmt::format("/{}", name), fmt::format("{}: there is no asset {}", name, printable(id)));
  if (!asset->type.starts_with(type)) {
    refuse_part(fmt::format("/{}", name),
                fmt::format("{} is {}; it must be {}", name, asset->type, type == kPictures ? "a picture" : type));
  }
  return id;
}

/// Motion and fitting of an align job, so that the poses are those that were looked at.
void take_align_job(const json& body, queue::JobQueue& queue, Files& files) {
  const auto id = body.at("poses").get<std::string>();
  const auto job = queue.find(id);
  if (!job || job->kind != queue::JobKind::kAlign) refuse_part("/poses", fmt::format("{} is no align job", id));
  if (job->state != queue::JobState::kCompleted) {
    refuse_part("/poses", fmt::format("the job {} is {}; poses are those of a completed one", id, word(job->state)));
  }
  if (body.contains(kAlign)) refuse_part("/align", fmt::format("align: it is what the job {} says", id));
  files.order = json::parse(job->request).at(kOrder);
  files.order.at("reference") = body.at("reference");
  files.assets.push_back(files.order.at("motion"));
  files.poses_job = id;
}

Files files_of(const json& body, queue::JobQueue& queue) {
  Files files;
  files.assets = {required_asset(body, "reference", kPictures, queue)};
  files.order["reference"] = body.at("reference");
  if (body.contains("motion")) {
    files.assets.push_back(required_asset(body, "motion", "", queue));
    files.order["motion"] = body.at("motion");
  } else if (queue::is_id('j', body.at("poses").get<std::string>())) {
    take_align_job(body, queue, files);
  } else {
    files.assets.push_back(required_asset(body, "poses", "application/json", queue));
    files.order["poses"] = body.at("poses");
  }
  return files;
}

[[noreturn]] void refuse_choice(const std::string& part, const Error& error) {
  refuse_part(fmt::format("/{}/{}", kSettings, part), error.what());
}

std::string row_request(const json& body, const json& files, const std::filesystem::path& models) {
  ordered_json order = files;
  json options = json::object();
  for (const char* part : {kAlign, kSettings}) {
    if (!body.contains(part)) continue;
    for (const auto& [name, value] : body.at(part).items()) {
      if (is_of_models(name)) {
        options[name] = value;
      } else {
        order[name] = value;
      }
    }
  }
  worker::RowOptions rest;
  fields::read_json(options, {}, rest.models, fields::Missing::kLeft);
  const std::string format = body.value(kFormat, std::string(fields::word(rest.format)));
  rest.format = fields::parse_word<worker::ResultFormat>(kFormat, format);
  if (body.at("kind") != queue::word(queue::JobKind::kAlign) && !models.empty()) {
    worker::settle_models(rest.models, models, refuse_choice);
  } else {
    worker::require_names(rest.models, refuse_choice);
  }
  return worker::request_text(order, rest);
}

/// The part of a body that a sentence such as "sampler: …" or "preset draft does not …" is about; empty where it is
/// about none.
std::string pointer_of(std::string_view sentence) {
  constexpr std::string_view kArticle = "the ";
  if (sentence.starts_with(kArticle)) sentence.remove_prefix(kArticle.size());
  const std::string name(sentence.substr(0, sentence.find_first_of(": ")));
  const json& schemas = openapi_document().at("components").at("schemas");
  for (const auto& [schema, part] : {std::pair("AlignSettings", kAlign), std::pair("AnimateSettings", kSettings)}) {
    if (schemas.at(schema).at("properties").contains(name)) return fmt::format("/{}/{}", part, name);
  }
  return "";
}

void check_row(const queue::NewJob& job, queue::JobQueue& queue, const std::filesystem::path& models) {
  const auto like_its_file = [&](const std::string& id) {
    const auto asset = queue.find_asset(id);
    return std::filesystem::path(asset ? id + std::string(store::ending_of(asset->type)) : id);
  };
  try {
    worker::check_request(job.kind, job.request, models, like_its_file,
                          [](const fields::Field& field) { return fmt::format("{}: it", field.name); });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage && error.kind() != ErrorKind::kInput) throw;
    const std::string pointer = pointer_of(error.what());
    if (!pointer.empty()) refuse_part(pointer, error.what());
    throw http::Refused(http::problems::kInvalidRequest, error.what());
  }
}

}  // namespace

queue::NewJob new_job(const json& body, queue::JobQueue& queue, const std::filesystem::path& models) {
  queue::NewJob job;
  job.kind = *queue::kind_of(body.at("kind").get<std::string>());
  Files files = files_of(body, queue);
  job.assets = std::move(files.assets);
  job.poses_job = std::move(files.poses_job);
  job.request = row_request(body, files.order, models);
  check_row(job, queue, models);
  return job;
}

}  // namespace unianimate::server
