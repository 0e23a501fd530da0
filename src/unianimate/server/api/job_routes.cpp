// Jobs: made, looked at, changed, stopped, gone on with and removed.
#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/api/job_actions.h"
#include "unianimate/server/api/job_json.h"
#include "unianimate/server/store/resumption.h"

namespace unianimate::server {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr int kOk = 200;
constexpr int kCreated = 201;
constexpr int kAccepted = 202;
constexpr int kNoContent = 204;

http::Response create_job(const http::Request& request, Api& api) {
  const queue::Added added = add_job(parse_body(request.body), request, api);
  const bool is_new = added.outcome == queue::Added::Outcome::kNew;
  http::Response response = api.queues().with(
      [&](queue::JobQueue& queue) { return json_response(is_new ? kCreated : kOk, job_json(added.job, queue)); });
  response.set("Location", "/api/v1/jobs/" + added.job.id);
  return response;
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
    // Before the jobs, which may be later ones.
    const std::int64_t revision = queue.revision();
    std::vector<queue::JobRow> jobs = queue.list(filter);
    const bool more = static_cast<std::int64_t>(jobs.size()) > limit;
    if (more) jobs.pop_back();
    ordered_json shown = ordered_json::array();
    for (const queue::JobRow& job : jobs) shown.push_back(job_json(job, queue));
    return json_response(kOk, {{"jobs", std::move(shown)},
                               {"next", more ? ordered_json(jobs.back().id) : ordered_json(nullptr)},
                               {"revision", revision}});
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
  return http::Response(remove_job(required_job(request, api).id, api) ? kNoContent : kAccepted);
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
