// The program, its health and its measures.
#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/families/families.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/api/document.h"
#include "unianimate/server/api/metrics.h"
#include "unianimate/studio/model_library.h"
#include "unianimate/studio/video_order_fields.h"

namespace unianimate::server {

using nlohmann::ordered_json;

namespace {

/// Settings that suit the models, as far as they are not what the schema says.
ordered_json defaults_of(const studio::NamedModel& model) {
  studio::VideoOrder order;
  const ordered_json usual = fields::write_json(order, settings_of_videos());
  ordered_json defaults = ordered_json::object();
  try {
    order.job.request = families::default_request(model.folder);
  } catch (const Error&) {
    return defaults;  // a job says what is wrong with them
  }
  const ordered_json own = fields::write_json(order, settings_of_videos());
  for (const auto& [name, value] : own.items()) {
    if (value != usual.at(name)) defaults[name] = value;
  }
  defaults["size"] = fmt::format("{}x{}", order.job.request.width, order.job.request.height);
  return defaults;
}

ordered_json models_json(const std::vector<studio::NamedModel>& models) {
  ordered_json shown = ordered_json::array();
  for (const studio::NamedModel& model : models) {
    shown.push_back({{"name", model.name}, {"family", model.family}, {"defaults", defaults_of(model)}});
  }
  return shown;
}

/// What is found on this machine may be chosen, and where nothing is, nothing can be.
ordered_json found_settings_schema(const std::vector<studio::NamedModel>& models,
                                   const std::vector<std::string>& loras) {
  ordered_json schema = settings_schema();
  ordered_json& properties = schema.at("properties");
  std::vector<std::string> names;
  for (const studio::NamedModel& model : models) names.push_back(model.name);
  if (names.empty()) {
    properties.erase("model");
  } else {
    properties.at("model")["enum"] = names;
    properties.at("model")["default"] = names.front();
  }
  if (loras.empty()) {
    properties.erase("loras");
  } else {
    properties.at("loras").at("items").at("properties").at("name")["enum"] = loras;
  }
  return schema;
}

ordered_json devices_json(const std::vector<queue::WorkerRow>& workers) {
  ordered_json devices = ordered_json::array();
  for (const queue::WorkerRow& worker : workers) {
    devices.push_back({{"lane", worker.lane}, {"device", worker.device}, {"dtype", worker.dtype}});
  }
  return devices;
}

ordered_json system_json(Api& api) {
  const nlohmann::json& schemas = openapi_document().at("components").at("schemas");
  const std::vector<studio::NamedModel> models = studio::find_models(api.options().models);
  const std::vector<std::string> loras = studio::find_loras(api.options().models);
  const auto free = store::free_bytes(api.folder());
  return {{"version", api.options().version},
          {"disk",
           {{"free_bytes", free ? ordered_json(*free) : ordered_json(nullptr)},
            {"kept_bytes", api.options().retention.free_bytes},
            {"used_bytes", api.sweeper().account().use().total()},
            {"quota_bytes", api.sweeper().quota()}}},
          {"settings", found_settings_schema(models, loras)},
          {"align", align_schema()},
          {"format", schemas.at("VideoFormat")},
          {"models", models_json(models)},
          {"loras", loras},
          {"devices", devices_json(api.queues().with([](queue::JobQueue& queue) { return queue.workers(); }))}};
}

/// Lanes without a live worker.
ordered_json missing_workers(Api& api) {
  std::set<std::string> lanes;
  api.require_writable();
  for (const queue::WorkerRow& worker : api.queues().with([](queue::JobQueue& queue) { return queue.workers(); })) {
    lanes.insert(worker.lane);
  }
  ordered_json missing = ordered_json::array();
  for (const queue::JobKind kind : {queue::JobKind::kAlign, queue::JobKind::kAnimate}) {
    const std::string lane(queue::lane_of(kind));
    if (lanes.count(lane) == 0) missing.push_back("a worker for " + lane);
  }
  return missing;
}

http::Response ready(Api& api) {
  ordered_json missing;
  try {
    missing = missing_workers(api);
  } catch (const http::Refused& refused) {
    missing = ordered_json::array({refused.problem().detail});
  }
  const auto free = store::free_bytes(api.folder());
  if (free && *free < api.options().retention.free_bytes) missing.push_back("room on the disk");
  constexpr int kUnavailable = 503;
  return json_response(missing.empty() ? 200 : kUnavailable, {{"ready", missing.empty()}, {"missing", missing}});
}

http::Response metrics(Api& api) {
  MetricsText text;
  text.begin("unianimate_build_info", "gauge", "The program");
  text.value(1, {{"version", api.options().version}});
  api.queues().with([&](queue::JobQueue& queue) {
    text.begin("unianimate_jobs", "gauge", "Jobs of a kind in a state");
    for (const queue::JobCount& count : queue.counts()) {
      text.value(static_cast<double>(count.jobs),
                 {{"kind", queue::word(count.kind)}, {"state", queue::word(count.state)}});
    }
    text.begin("unianimate_worker_up", "gauge", "Workers that are alive");
    for (const queue::WorkerRow& worker : queue.workers()) {
      text.value(1, {{"worker", worker.id}, {"lane", worker.lane}, {"device", worker.device}});
    }
    text.begin("unianimate_worker_resident_bytes", "gauge", "Memory of workers that are alive");
    for (const queue::WorkerRow& worker : queue.workers()) {
      text.value(static_cast<double>(worker.resident_bytes), {{"worker", worker.id}, {"lane", worker.lane}});
    }
    text.begin("unianimate_queue_oldest_seconds", "gauge", "How long the job has waited that waits longest");
    text.value(queue.longest_wait());
    return true;
  });
  api.measures().write(text);
  const store::DiskUse use = api.sweeper().account().use();
  text.begin("unianimate_disk_bytes", "gauge", "Bytes in the data folder");
  for (const auto& [kind, bytes] :
       {std::pair("assets", use.assets), std::pair("incoming", use.incoming), std::pair("work", use.work),
        std::pair("results", use.results), std::pair("database", use.database)}) {
    text.value(static_cast<double>(bytes), {{"kind", kind}});
  }
  text.begin("unianimate_disk_quota_bytes", "gauge", "Bytes that the data folder may hold");
  text.value(static_cast<double>(api.sweeper().quota()));
  text.begin("unianimate_event_clients", "gauge", "Open streams of events");
  text.value(static_cast<double>(api.streams()));
  text.begin("unianimate_disk_free_bytes", "gauge", "Room left on the disk of the data folder");
  text.value(static_cast<double>(store::free_bytes(api.folder()).value_or(0)));
  api.requests().write(text);
  return {200, "text/plain; version=0.0.4; charset=utf-8", text.text()};
}

}  // namespace

void add_system_routes(http::Router& router, Api& api) {
  router.add({.method = "GET", .pattern = "/api/v1/system", .handle = [&](const http::Request&) {
                return json_response(200, system_json(api));
              }});
  router.add(
      {.method = "GET", .pattern = "/health/live", .open = true, .at_once = true, .handle = [](const http::Request&) {
         return json_response(200, {{"live", true}});
       }});
  router.add({.method = "GET", .pattern = "/health/ready", .open = true, .handle = [&](const http::Request&) {
                return ready(api);
              }});
  router.add({.method = "GET", .pattern = "/metrics", .handle = [&](const http::Request&) { return metrics(api); }});
  router.add({.method = "GET", .pattern = "/openapi.json", .open = true, .handle = [](const http::Request&) {
                return json_response(200, openapi_document());
              }});
}

}  // namespace unianimate::server
