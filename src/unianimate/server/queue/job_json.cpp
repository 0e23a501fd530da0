#include "unianimate/server/queue/job_json.h"

#include <fmt/chrono.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

namespace unianimate::queue {

using nlohmann::ordered_json;

namespace {

/// What a row holds as text; null for what is none.
ordered_json parsed(const std::optional<std::string>& text) {
  if (!text) return nullptr;
  ordered_json value = ordered_json::parse(*text, nullptr, false);
  return value.is_discarded() ? ordered_json(nullptr) : value;
}

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json time_or_null(const std::optional<double>& seconds) {
  return seconds ? ordered_json(time_text(*seconds)) : ordered_json(nullptr);
}

}  // namespace

std::string time_text(double seconds) {
  constexpr std::int64_t kThousand = 1000;
  const std::int64_t milliseconds = std::llround(seconds * static_cast<double>(kThousand));
  const std::tm parts = fmt::gmtime(static_cast<std::time_t>(milliseconds / kThousand));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", parts, milliseconds % kThousand);
}

ordered_json job_json(const JobRow& job, std::optional<std::int64_t> position) {
  return {{"id", job.id},
          {"kind", word(job.kind)},
          {"state", word(job.state)},
          {"position", position ? ordered_json(*position + 1) : ordered_json(nullptr)},
          {"priority", job.priority},
          {"label", or_null(job.label)},
          {"revision", job.revision},
          {"attempt", job.attempt},
          {"cancel_requested", job.cancel_requested},
          {"request", parsed(job.request)},
          {"poses_job", or_null(job.poses_job)},
          {"progress", parsed(job.progress)},
          {"result", parsed(job.result)},
          {"problem", parsed(job.problem)},
          {"worker", or_null(job.worker)},
          {"device", or_null(job.device)},
          {"created", time_text(job.created)},
          {"queued", time_text(job.queued)},
          {"started", time_or_null(job.started)},
          {"finished", time_or_null(job.finished)}};
}

}  // namespace unianimate::queue
