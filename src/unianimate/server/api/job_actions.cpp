#include "unianimate/server/api/job_actions.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "unianimate/media/film/sha256.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/job_request.h"
#include "unianimate/server/store/removal.h"
#include "unianimate/server/worker/job_request.h"

namespace unianimate::server {

using nlohmann::json;

namespace {

void check_body(const json& body, const Api& api) {
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
}

[[noreturn]] void refuse_room(std::int64_t most) {
  throw http::Refused(http::make_problem(http::problems::kTooMany,
                                         fmt::format("{} jobs may wait; --max-queue of the server raises that", most),
                                         std::chrono::minutes(1)));
}

/// It was there when the body was looked at.
[[noreturn]] void refuse_missing(const queue::MissingInput& missing, const json& body) {
  for (const char* name : worker::kFileFields) {
    if (body.value(name, "") == missing.id()) refuse_part(fmt::format("/{}", name), missing.what());
  }
  throw http::Refused(http::problems::kInvalidRequest, missing.what());
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

}  // namespace

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

queue::Added add_job(const json& body, const http::Request& request, Api& api) {
  check_body(body, api);
  const std::optional<std::string> key = idempotency_key(request);
  const std::string body_sha256 = sha256_of(body.dump());
  // Whoever asks again is told of the job, whatever would be said of a new one by now.
  const auto before = api.queues().with(
      [&](queue::JobQueue& queue) { return key ? queue.added_before(*key, body_sha256) : std::nullopt; });
  if (!before) api.require_room(0);
  const queue::Added added = before ? *before : api.queues().with([&](queue::JobQueue& queue) {
    queue::NewJob job = new_job(body, queue, api.options().knows_models ? api.options().models : "");
    job.label = label_of(body);
    job.priority = priority_of(body).value_or(0);
    job.idempotency_key = key;
    job.body_sha256 = body_sha256;
    job.most_waiting = api.options().most_jobs;
    try {
      return queue.add(job);
    } catch (const queue::MissingInput& missing) {
      refuse_missing(missing, body);
    }
  });
  if (added.outcome == queue::Added::Outcome::kNoRoom) refuse_room(api.options().most_jobs);
  if (added.outcome == queue::Added::Outcome::kOtherBody) {
    throw http::Refused(http::problems::kConflict,
                        fmt::format("the job {} was made with this Idempotency-Key and another body", added.job.id));
  }
  return added;
}

bool remove_job(const std::string& id, Api& api) {
  return api.queues().with([&](queue::JobQueue& queue) {
    const auto job = store::remove_job(api.folder(), queue, id);
    if (!job && queue.find(id)) {
      throw http::Refused(http::problems::kConflict,
                          fmt::format("a job that waits or runs takes the poses of the job {}", id));
    }
    if (job && job->state == queue::JobState::kRunning) return false;
    api.sweeper().account().forget_job(id);
    return true;
  });
}

}  // namespace unianimate::server
