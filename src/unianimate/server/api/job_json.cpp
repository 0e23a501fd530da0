#include "unianimate/server/api/job_json.h"

#include <fmt/format.h>

#include "unianimate/core/error.h"
#include "unianimate/server/queue/job_json.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/worker/job_request.h"

namespace unianimate::server {

nlohmann::ordered_json job_json(const queue::JobRow& job, queue::JobQueue& queue) {
  nlohmann::ordered_json shown = queue::job_json(job, queue.position(job.id));
  shown["request"] = worker::shown_request(job.request);
  return shown;
}

queue::JobRow required_job(const http::Request& request, Api& api) {
  const std::string& id = request.parameter("id");
  const auto job =
      api.queues().with([&](queue::JobQueue& queue) { return queue::is_id('j', id) ? queue.find(id) : std::nullopt; });
  if (!job) throw http::Refused(http::problems::kNotFound, fmt::format("there is no job {}", printable(id)));
  return *job;
}

}  // namespace unianimate::server
