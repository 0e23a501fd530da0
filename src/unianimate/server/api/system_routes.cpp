// The program, its health and its measures.
#include <fmt/format.h>

#include <set>

#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/api/document.h"
#include "unianimate/server/api/metrics.h"

namespace unianimate::server {

using nlohmann::ordered_json;

namespace {

std::uintmax_t free_space(const Api& api) {
  std::error_code unknown;
  return std::filesystem::space(api.folder().root(), unknown).available;
}

ordered_json system_json(const Api& api) {
  const nlohmann::json& schemas = openapi_document().at("components").at("schemas");
  return {{"version", api.options().version},
          {"disk", {{"free_bytes", free_space(api)}, {"kept_bytes", api.options().free_space_kept}}},
          {"settings", schemas.at("AnimateSettings")},
          {"align", schemas.at("AlignSettings")}};
}

http::Response ready(Api& api) {
  ordered_json missing = ordered_json::array();
  std::set<std::string> lanes;
  api.queues().with([&](queue::JobQueue& queue) {
    for (const queue::WorkerRow& worker : queue.workers()) lanes.insert(worker.lane);
    return true;
  });
  for (const queue::JobKind kind : {queue::JobKind::kAlign, queue::JobKind::kAnimate}) {
    const std::string lane(queue::lane_of(kind));
    if (lanes.count(lane) == 0) missing.push_back("a worker for " + lane);
  }
  if (free_space(api) < api.options().free_space_kept) missing.push_back("room on the disk");
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
    return true;
  });
  text.begin("unianimate_event_clients", "gauge", "Open streams of events");
  text.value(static_cast<double>(api.streams()));
  text.begin("unianimate_disk_free_bytes", "gauge", "Room left on the disk of the data folder");
  text.value(static_cast<double>(free_space(api)));
  api.requests().write(text);
  return {200, "text/plain; version=0.0.4; charset=utf-8", text.text()};
}

}  // namespace

void add_system_routes(http::Router& router, Api& api) {
  router.add({.method = "GET", .pattern = "/api/v1/system", .handle = [&](const http::Request&) {
                return json_response(200, system_json(api));
              }});
  router.add({.method = "GET", .pattern = "/health/live", .open = true, .handle = [](const http::Request&) {
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
