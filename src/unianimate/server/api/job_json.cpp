#include "unianimate/server/api/job_json.h"

#include <fmt/format.h>

#include "unianimate/core/error.h"
#include "unianimate/server/api/answers.h"

namespace unianimate::server {

using nlohmann::ordered_json;

namespace {

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

/// What the database holds as JSON.
ordered_json parsed(const std::optional<std::string>& text) {
  return text ? ordered_json::parse(*text, nullptr, false) : ordered_json(nullptr);
}

}  // namespace

ordered_json job_json(const queue::JobRow& job, queue::JobQueue& queue) {
  const auto position = job.state == queue::JobState::kQueued ? queue.position(job.id) : std::nullopt;
  return {{"id", job.id},
          {"kind", queue::word(job.kind)},
          {"state", queue::word(job.state)},
          {"label", or_null(job.label)},
          {"priority", job.priority},
          {"revision", job.revision},
          {"position", position ? ordered_json(*position + 1) : ordered_json(nullptr)},
          {"attempt", job.attempt},
          {"cancel_requested", job.cancel_requested},
          {"progress", parsed(job.progress)},
          {"result", parsed(job.result)},
          {"problem", parsed(job.problem)},
          {"device", or_null(job.device)},
          {"created", time_text(job.created)},
          {"queued", time_text(job.queued)},
          {"started", time_json(job.started)},
          {"finished", time_json(job.finished)},
          {"request", parsed(job.request)}};
}

queue::JobRow required_job(const http::Request& request, Api& api) {
  const std::string& id = request.parameter("id");
  const auto job = api.queues().with([&](queue::JobQueue& queue) { return queue.find(id); });
  if (!job) throw http::Refused(http::problems::kNotFound, fmt::format("there is no job {}", printable(id)));
  return *job;
}

}  // namespace unianimate::server
