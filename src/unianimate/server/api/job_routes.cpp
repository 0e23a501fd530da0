// Jobs: made, looked at, changed, stopped, gone on with and removed.
#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/media/film/sha256.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/api/job_json.h"
#include "unianimate/server/api/job_request.h"
#include "unianimate/server/store/removal.h"
#include "unianimate/server/store/resumption.h"

namespace unianimate::server {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr int kOk = 200;
constexpr int kCreated = 201;
constexpr int kAccepted = 202;
constexpr int kNoContent = 204;

std::optional<std::string> label_of(const json& body) {
  if (!body.contains("label")) return std::nullopt;
  auto label = body.at("label").get<std::string>();
  if (label.find('\0') != std::string::npos) {
    refuse_part("/label", "label has a zero byte (U+0000), which not every queue can keep; leave it out");
  }
  return label;
}

std::optional<std::int64_t> priority_of(const json& body) {
  return body.contains("priority") ? std::optional(body.at("priority").get<std::int64_t>()) : std::nullopt;
}

/// The body of a new job, when it fits its schema.
json job_body(const http::Request& request, const Api& api) {
  json body = parse_body(request.body);
  const std::string word = body.is_object() && body.contains("kind") && body.at("kind").is_string()
                               ? body.at("kind").get<std::string>()
                               : "";
  const auto kind = queue::kind_of(word);
  if (!kind) refuse_part("/kind", "kind must be \"align\", \"animate\" or \"plan\"");
  if (*kind != queue::JobKind::kAlign && body.contains("motion") == body.contains("poses")) {
    refuse_part(body.contains("poses") ? "/poses" : "/motion",
                "give either motion, or poses: an align job that is completed or a file of poses");
  }
  api.schemas().check(body, *kind == queue::JobKind::kAlign ? "AlignRequest" : "AnimateRequest");
  return body;
}

[[noreturn]] void refuse_room(std::int64_t most) {
  http::Problem problem = http::make_problem(
      http::problems::kTooMany, fmt::format("{} jobs may wait; --max-queue of the server raises that", most));
  problem.headers.push_back({"Retry-After", "60"});
  throw http::Refused(std::move(problem));
}

std::optional<std::string> idempotency_key(const http::Request& request) {
  if (request.header_count("Idempotency-Key") == 0) return std::nullopt;
  constexpr std::size_t kLongest = 128;
  const auto key = request.header("Idempotency-Key");
  if (!key || key->empty() || key->size() > kLongest) {
    throw http::Refused(http::problems::kInvalidRequest,
                        fmt::format("Idempotency-Key must be one text of 1 to {} characters", kLongest));
  }
  // Whatever bytes it has.
  return sha256_of(*key);
}

queue::NewJob asked_job(const json& body, const std::optional<std::string>& key, const std::string& body_sha256,
                        queue::JobQueue& queue, const Api& api) {
  queue::NewJob job = new_job(body, queue, api.options().knows_models ? api.options().models : "");
  job.label = label_of(body);
  job.priority = priority_of(body).value_or(0);
  job.idempotency_key = key;
  job.body_sha256 = body_sha256;
  job.most_waiting = api.options().most_jobs;
  return job;
}

http::Response create_job(const http::Request& request, Api& api) {
  const json body = job_body(request, api);
  const std::optional<std::string> key = idempotency_key(request);
  const std::string body_sha256 = sha256_of(body.dump());
  // Whoever asks again is told of the job, whatever would be said of a new one by now.
  const auto before = api.queues().with(
      [&](queue::JobQueue& queue) { return key ? queue.added_before(*key, body_sha256) : std::nullopt; });
  if (!before) api.require_room(0);
  return api.queues().with([&](queue::JobQueue& queue) {
    const queue::Added added = before ? *before : queue.add(asked_job(body, key, body_sha256, queue, api));
    if (added.outcome == queue::Added::Outcome::kNoRoom) refuse_room(api.options().most_jobs);
    if (added.outcome == queue::Added::Outcome::kOtherBody) {
      throw http::Refused(http::problems::kConflict,
                          fmt::format("the job {} was made with this Idempotency-Key and another body", added.job.id));
    }
    const bool is_new = added.outcome == queue::Added::Outcome::kNew;
    http::Response response = json_response(is_new ? kCreated : kOk, job_json(added.job, queue));
    response.set("Location", "/api/v1/jobs/" + added.job.id);
    return response;
  });
}

template <typename Value, typename Parse>
std::optional<Value> query_word(const http::Request& request, const char* name, const Parse& parse) {
  const auto word = request.query_value(name);
  if (!word) return std::nullopt;
  const std::optional<Value> value = parse(*word);
  if (!value) {
    throw http::Refused(http::problems::kInvalidRequest, fmt::format("{} is no {} of jobs", printable(*word), name));
  }
  return value;
}

http::Response list_jobs(const http::Request& request, Api& api) {
  constexpr std::int64_t kMost = 500;
  constexpr std::int64_t kUsual = 50;
  queue::JobFilter filter;
  filter.state = query_word<queue::JobState>(request, "state", queue::state_of);
  filter.kind = query_word<queue::JobKind>(request, "kind", queue::kind_of);
  filter.label = request.query_value("label");
  filter.before = request.query_value("before");
  const std::int64_t limit = query_number(request, "limit", 1, kMost).value_or(kUsual);
  filter.limit = limit + 1;
  return api.queues().with([&](queue::JobQueue& queue) {
    std::vector<queue::JobRow> jobs = queue.list(filter);
    const bool more = static_cast<std::int64_t>(jobs.size()) > limit;
    if (more) jobs.pop_back();
    ordered_json shown = ordered_json::array();
    for (const queue::JobRow& job : jobs) shown.push_back(job_json(job, queue));
    return json_response(
        kOk, {{"jobs", std::move(shown)}, {"next", more ? ordered_json(jobs.back().id) : ordered_json(nullptr)}});
  });
}

http::Response get_job(const http::Request& request, Api& api) {
  constexpr std::int64_t kLongestWait = 60;
  const std::int64_t wait = query_number(request, "wait", 0, kLongestWait).value_or(0);
  const auto known = query_number(request, "revision", 0, std::numeric_limits<std::int64_t>::max());
  const queue::JobRow before = required_job(request, api);
  const std::int64_t revision = known.value_or(before.revision);
  const auto look = [&api, request, revision](bool last) -> std::optional<http::Response> {
    const queue::JobRow job = required_job(request, api);
    if (!last && job.revision == revision) return std::nullopt;
    return api.queues().with([&](queue::JobQueue& queue) { return json_response(kOk, job_json(job, queue)); });
  };
  return {kOk, "application/json", http::Later{look, std::chrono::seconds(wait)}};
}

/// Where the job is there, but its state does not let it be changed so.
[[noreturn]] void refuse_state(const queue::JobRow& job, std::string_view what) {
  throw http::Refused(http::problems::kConflict,
                      fmt::format("the job {} is {} and cannot be {}", job.id, queue::word(job.state), what));
}

template <typename Change>
http::Response change_job(const http::Request& request, Api& api, int status, std::string_view what,
                          const Change& change) {
  const queue::JobRow before = required_job(request, api);
  return api.queues().with([&](queue::JobQueue& queue) {
    const std::optional<queue::JobRow> job = change(queue, before.id);
    if (!job) refuse_state(before, what);
    return json_response(status, job_json(*job, queue));
  });
}

http::Response patch_job(const http::Request& request, Api& api) {
  const json body = parse_body(request.body);
  api.schemas().check(body, "JobChange");
  return change_job(request, api, kOk, "changed", [&](queue::JobQueue& queue, const std::string& id) {
    return queue.change(id, priority_of(body), label_of(body));
  });
}

http::Response resume_job(const http::Request& request, Api& api) {
  const json body = parse_body(request.body);
  api.schemas().check(body, "Resumption");
  const bool fresh = body.value("fresh", false);
  return change_job(request, api, kAccepted, "resumed", [&](queue::JobQueue& queue, const std::string& id) {
    try {
      return store::resume_job(api.folder(), queue, id, fresh);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUsage) throw;
      throw http::Refused(http::problems::kConflict, "a worker that lost the job has not let go of it yet");
    }
  });
}

http::Response delete_job(const http::Request& request, Api& api) {
  const queue::JobRow before = required_job(request, api);
  return api.queues().with([&](queue::JobQueue& queue) {
    const auto job = store::remove_job(api.folder(), queue, before.id);
    if (!job && queue.find(before.id)) {
      throw http::Refused(http::problems::kConflict,
                          fmt::format("a job that waits or runs takes the poses of the job {}", before.id));
    }
    const bool runs = job && job->state == queue::JobState::kRunning;
    if (!runs) api.sweeper().account().forget_job(before.id);
    return http::Response(runs ? kAccepted : kNoContent);
  });
}

}  // namespace

void add_job_routes(http::Router& router, Api& api) {
  using Request = http::Request;
  const auto add = [&](const char* method, const char* pattern, http::BodyKind body, const auto& handle) {
    router.add({.method = method, .pattern = pattern, .body = body, .handle = [&api, handle](const Request& request) {
                  return handle(request, api);
                }});
  };
  using enum http::BodyKind;
  add("POST", "/api/v1/jobs", kJson, create_job);
  add("GET", "/api/v1/jobs", kNone, list_jobs);
  add("GET", "/api/v1/jobs/{id}", kNone, get_job);
  add("PATCH", "/api/v1/jobs/{id}", kJson, patch_job);
  add("DELETE", "/api/v1/jobs/{id}", kNone, delete_job);
  add("POST", "/api/v1/jobs/{id}/resume", kJson, resume_job);
  add("POST", "/api/v1/jobs/{id}/cancel", kNone, [](const Request& request, Api& of) {
    return change_job(request, of, kAccepted, "cancelled",
                      [](queue::JobQueue& queue, const std::string& id) { return queue.cancel(id); });
  });
}

}  // namespace unianimate::server
