#include "unianimate/server/api/job_measures.h"

#include <nlohmann/json.hpp>

namespace unianimate::server {

using nlohmann::json;

void JobMeasures::see(const queue::JobRow& job) {
  const std::scoped_lock lock(mutex_);
  if (job.state == queue::JobState::kRunning) return see_progress(job);
  told_.erase(job.id);
  if (job.state != queue::JobState::kCompleted || !job.started || !job.finished) return;
  jobs_.try_emplace(job.kind, kJobBounds).first->second.add(*job.finished - *job.started);
}

void JobMeasures::see_progress(const queue::JobRow& job) {
  const json progress = json::parse(job.progress.value_or("null"), nullptr, false);
  if (!progress.is_object()) return;
  Told now{job.attempt, "", 0, 0};
  try {
    now.phase = progress.value("phase", "");
    now.done = progress.value("done", std::int64_t{0});
    now.seconds = progress.value("seconds_elapsed", 0.0);
  } catch (const json::exception&) {
    return;
  }
  Told& before = told_[job.id];
  const bool goes_on = before.attempt == now.attempt && before.phase == now.phase && now.phase.starts_with("sample");
  // The first one may stand for those of an earlier attempt.
  if (goes_on && before.done > 0 && now.done > before.done && now.seconds > before.seconds) {
    const std::int64_t steps = now.done - before.done;
    steps_.add((now.seconds - before.seconds) / static_cast<double>(steps), static_cast<std::uint64_t>(steps));
  }
  before = std::move(now);
}

void JobMeasures::write(MetricsText& text) const {
  const std::scoped_lock lock(mutex_);
  text.begin("unianimate_job_seconds", "histogram", "Seconds from the first attempt at a job until it was completed");
  for (const auto& [kind, histogram] : jobs_) histogram.write(text, {{"kind", queue::word(kind)}});
  text.begin("unianimate_step_seconds", "histogram", "Seconds that a step of a video took");
  steps_.write(text);
}

}  // namespace unianimate::server
