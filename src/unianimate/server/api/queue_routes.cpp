// The queue as a whole, and what changes in it.
#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/api/job_json.h"
#include "unianimate/server/http/event_stream.h"
#include "unianimate/server/queue/job_json.h"

namespace unianimate::server {

using nlohmann::ordered_json;

namespace {

ordered_json queue_json(queue::JobQueue& queue) {
  ordered_json counts = ordered_json::array();
  for (const queue::JobCount& count : queue.counts()) {
    counts.push_back({{"kind", queue::word(count.kind)}, {"state", queue::word(count.state)}, {"jobs", count.jobs}});
  }
  ordered_json workers = ordered_json::array();
  for (const queue::WorkerRow& worker : queue.workers()) {
    workers.push_back({{"lane", worker.lane},
                       {"host", worker.host},
                       {"device", worker.device},
                       {"dtype", worker.dtype},
                       {"job", worker.job ? ordered_json(*worker.job) : ordered_json(nullptr)}});
  }
  ordered_json notices = ordered_json::array();
  for (const queue::Notice& notice : queue.notices()) {
    notices.push_back({{"time", queue::time_text(notice.created)}, {"text", notice.text}});
  }
  return {{"paused", queue.paused()},
          {"counts", std::move(counts)},
          {"workers", std::move(workers)},
          {"notices", std::move(notices)}};
}

http::Response change_queue(const http::Request& request, Api& api) {
  const nlohmann::json body = parse_body(request.body);
  api.schemas().check(body, "QueueChange");
  return api.queues().with([&](queue::JobQueue& queue) {
    queue.set_paused(body.at("paused").get<bool>());
    return json_response(200, queue_json(queue));
  });
}

/// What one client was told of the queue. The state of things, not their history: each job as it is now.
class Events {
 public:
  Events(Api& api, std::int64_t since) : api_(api), told_(since) {}

  std::string next() {
    return api_.queues().with([&](queue::JobQueue& queue) { return new_events(queue); });
  }

 private:
  /// As much as a client may have unread.
  static constexpr std::size_t kMostBytes = 64'000;

  std::string new_events(queue::JobQueue& queue) {
    std::string text;
    // Whoever begins with nothing knows nothing that could be gone.
    const bool from_start = told_ == 0 && is_first_;
    const std::int64_t forgotten = queue.forgotten_revision();
    // From then on everything is told in time.
    if (is_first_ && ((told_ > 0 && told_ < forgotten) || told_ > queue.revision())) {
      told_ = 0;
      text = http::event_text("reset", "", "{}");
    }
    is_first_ = false;
    constexpr std::int64_t kAtOnce = 50;
    const std::vector<queue::JobRow> changed = queue.changed_since(told_, kAtOnce);
    for (const queue::JobRow& job : changed) {
      if (text.size() > kMostBytes) return text;
      told_ = job.revision;
      if (job.state != queue::JobState::kRemoved) {
        text += http::event_text("job", fmt::to_string(job.revision), json_text(job_json(job, queue)));
      } else if (!from_start) {
        text += http::event_text("removed", fmt::to_string(job.revision), ordered_json{{"id", job.id}}.dump());
      }
    }
    // Told of the queue, a client knows all jobs.
    if (std::ssize(changed) == kAtOnce) return text;
    std::string about_queue = json_text(queue_json(queue));
    // Who comes back by this number has missed nothing of what is forgotten.
    const bool leaps = told_ < forgotten;
    if (leaps) told_ = forgotten;
    if (about_queue != about_queue_ || leaps) {
      text += http::event_text("queue", told_ > 0 ? fmt::to_string(told_) : "", about_queue);
    }
    about_queue_ = std::move(about_queue);
    return text;
  }

  Api& api_;
  std::int64_t told_;
  bool is_first_ = true;
  std::string about_queue_;
};

http::Response events(const http::Request& request, Api& api) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t since = query_number(request, "since", 0, kMost).value_or(0);
  if (const auto last = request.header("Last-Event-ID")) {
    std::int64_t number = 0;
    std::from_chars(last->data(), last->data() + last->size(), number);
    since = std::max<std::int64_t>(number, 0);
  }
  return http::event_stream([told = std::make_shared<Events>(api, since)] { return told->next(); });
}

}  // namespace

void add_queue_routes(http::Router& router, Api& api) {
  router.add({.method = "GET", .pattern = "/api/v1/queue", .handle = [&](const http::Request&) {
                return api.queues().with([](queue::JobQueue& queue) { return json_response(200, queue_json(queue)); });
              }});
  router.add({.method = "PATCH",
              .pattern = "/api/v1/queue",
              .body = http::BodyKind::kJson,
              .handle = [&](const http::Request& request) { return change_queue(request, api); }});
  router.add({.method = "GET", .pattern = "/api/v1/events", .handle = [&](const http::Request& request) {
                return events(request, api);
              }});
}

}  // namespace unianimate::server
