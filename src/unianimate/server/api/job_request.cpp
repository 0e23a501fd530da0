#include "unianimate/server/api/job_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "unianimate/core/error.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/document.h"
#include "unianimate/server/worker/job_request.h"

namespace unianimate::server {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

/// The files of a body; a row may name others.
constexpr std::array kFiles{"reference", "motion"};
/// The parts of a body whose fields lie side by side in a row.
constexpr const char* kAlign = "align";
constexpr const char* kSettings = "settings";
constexpr const char* kFormat = "format";
constexpr const char* kOrder = "order";

/// Of one of the files, whose type has to begin so.
std::string required_asset(const json& body, const char* name, std::string_view type, queue::JobQueue& queue) {
  const auto id = body.at(name).get<std::string>();
  const auto asset = queue.find_asset(id);
  if (!asset) refuse_part(fmt::format("/{}", name), fmt::format("{}: there is no asset {}", name, printable(id)));
  if (!asset->type.starts_with(type)) {
    refuse_part(fmt::format("/{}", name), fmt::format("{} is {}; it must be a picture", name, asset->type));
  }
  return id;
}

std::string row_request(const json& body) {
  ordered_json order;
  for (const char* name : kFiles) order[name] = body.at(name);
  for (const char* part : {kAlign, kSettings}) {
    if (!body.contains(part)) continue;
    for (const auto& [name, value] : body.at(part).items()) order[name] = value;
  }
  const std::string format = body.value(kFormat, std::string(fields::word(worker::ResultFormat{})));
  return worker::request_text(order, fields::parse_word<worker::ResultFormat>(kFormat, format));
}

/// Whatever a worker would refuse without its models.
void check_row(const queue::NewJob& job) {
  const auto as_it_is = [](const std::string& id) { return std::filesystem::path(id); };
  static const family::AnimateRequest kDefaults;
  try {
    if (job.kind == queue::JobKind::kAlign) {
      worker::read_align_request(job.request, as_it_is);
    } else {
      worker::read_video_request(job.request, kDefaults, as_it_is);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage && error.kind() != ErrorKind::kInput) throw;
    throw http::Refused(http::problems::kInvalidRequest, error.what());
  }
}

bool is_of_align(const std::string& name) {
  return openapi_document().at("components").at("schemas").at("AlignSettings").at("properties").contains(name);
}

bool is_file(const std::string& name) {
  return std::any_of(worker::kFileFields.begin(), worker::kFileFields.end(),
                     [&](const char* file) { return name == file; });
}

}  // namespace

queue::NewJob new_job(const json& body, queue::JobQueue& queue) {
  queue::NewJob job;
  job.kind = *queue::kind_of(body.at("kind").get<std::string>());
  job.assets = {required_asset(body, "reference", "image/", queue), required_asset(body, "motion", "", queue)};
  job.request = row_request(body);
  check_row(job);
  return job;
}

ordered_json shown_request(const std::string& request) {
  const ordered_json row = ordered_json::parse(request, nullptr, false);
  if (!row.is_object() || !row.contains(kOrder) || !row.at(kOrder).is_object()) return nullptr;
  ordered_json shown;
  ordered_json align;
  ordered_json settings;
  for (const auto& [name, value] : row.at(kOrder).items()) {
    (is_file(name) ? shown : is_of_align(name) ? align : settings)[name] = value;
  }
  if (!align.is_null()) shown[kAlign] = std::move(align);
  if (!settings.is_null()) shown[kSettings] = std::move(settings);
  if (row.contains(kFormat)) shown[kFormat] = row.at(kFormat);
  return shown;
}

}  // namespace unianimate::server
