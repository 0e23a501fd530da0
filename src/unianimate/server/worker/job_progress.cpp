#include "unianimate/server/worker/job_progress.h"

#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/studio/event_json.h"

namespace unianimate::worker {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

/// Places on this machine are nobody's business: of each only the name is left. Those in sentences are the worker's to
/// replace.
void keep_names(ordered_json& value) {
  if (value.is_structured()) {
    for (const auto& [name, part] : value.items()) {
      if (name != "notes") keep_names(part);
    }
  } else if (value.is_string()) {
    const fs::path path = value.get<std::string>();
    if (path.is_absolute()) value = path.filename().string();
  }
}

}  // namespace

JobProgress::JobProgress(queue::JobQueue& queue, queue::Claim claim, const Lease& lease,
                         const store::DataFolder& folder, const std::function<bool()>& stopping,
                         studio::JobObserver& watcher)
    : queue_(queue),
      claim_(std::move(claim)),
      lease_(lease),
      work_(folder.work(claim_.job)),
      found_people_(folder.poses_report(claim_.job)),
      preview_(folder.preview(claim_.job)),
      stopping_(stopping),
      watcher_(watcher),
      saved_before_(saved_files()) {
  count_previews();
  previews_ = 0;
}

/// Their names say how far the work is.
std::set<std::string> JobProgress::saved_files() const {
  std::set<std::string> names;
  for (const auto& [folder, beginning] : {std::pair(work_, "segment-"), std::pair(found_people_, "detected-")}) {
    std::error_code problem;
    for (fs::directory_iterator entry(folder, problem); !problem && entry != fs::directory_iterator();
         entry.increment(problem)) {
      std::string name = entry->path().filename().string();
      if (name.starts_with(beginning)) names.insert(std::move(name));
    }
  }
  return names;
}

void JobProgress::begin_phase(std::string_view name, std::int64_t total) {
  phase_ = name;
  saved_ = saved_ || saved_files() != saved_before_;
  meter_.begin(total, std::chrono::steady_clock::now());
  tell();
  watcher_.begin_phase(name, total);
}

void JobProgress::step(std::int64_t done) {
  constexpr std::chrono::seconds kBetween{1};
  const auto now = std::chrono::steady_clock::now();
  meter_.step(done, now);
  const bool saves_first = !saved_ && saved_files() != saved_before_;
  saved_ = saved_ || saves_first;
  if (saves_first || now - told_ >= kBetween) tell();
  watcher_.step(done);
}

void JobProgress::note(const std::string& message) {
  watcher_.note(message);
}

void JobProgress::planned(const studio::PlannedVideo& video) {
  result_ = studio::plan_json(video);
  keep_names(result_);
  watcher_.planned(video);
}

void JobProgress::finished(const studio::FinishedVideo& video) {
  result_ = studio::result_json(video);
  // What of the reference the video shows, for whoever lays one over the other.
  result_.update(fields::write_json(video.job.request, fields::only({"framing"})));
  watcher_.finished(video);
}

void JobProgress::aligned(const studio::AlignedMotion& motion) {
  result_ = studio::poses_json(motion);
  watcher_.aligned(motion);
}

StopReason JobProgress::reason() const {
  if (lease_.lost()) return StopReason::kLost;
  if (lease_.cancel_requested()) return StopReason::kCancelled;
  return stopping_() ? StopReason::kStopping : StopReason::kNone;
}

void JobProgress::count_previews() {
  std::error_code none;
  const auto written = fs::last_write_time(preview_, none);
  if (none || written == preview_written_) return;
  preview_written_ = written;
  ++previews_;
}

void JobProgress::tell() {
  const auto now = std::chrono::steady_clock::now();
  told_ = now;
  count_previews();
  const auto left = meter_.seconds_left(now);
  const ordered_json progress{{"phase", phase_},
                              {"done", meter_.done()},
                              {"total", meter_.total()},
                              {"seconds_left", left ? ordered_json(*left) : ordered_json(nullptr)},
                              {"seconds_elapsed", std::chrono::duration<double>(now - began_).count()},
                              {"previews", previews_}};
  try {
    queue_.report(claim_, progress.dump(-1, ' ', false, ordered_json::error_handler_t::replace), saved_);
  } catch (const Error&) {
    // The lease says when the database is out of reach for too long.
  }
}

}  // namespace unianimate::worker
