// A job as the queue knows it. Times are seconds since 1970 by the database's clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unianimate::queue {

/// kPlan: what kAnimate would take, told and not made.
enum class JobKind { kAlign, kAnimate, kPlan };

/// kRemoved: only the row is left for a while, so that others learn of it.
enum class JobState { kQueued, kRunning, kCompleted, kFailed, kCancelled, kRemoved };

/// "align", "queued": as they stand in the database and are shown.
std::string_view word(JobKind kind);
std::string_view word(JobState state);
/// None for a word that is none of them.
std::optional<JobKind> kind_of(std::string_view word);
std::optional<JobState> state_of(std::string_view word);

/// Which workers take it: "pose" or "video".
std::string_view lane_of(JobKind kind);

/// Whether nobody will work on it unless it is resumed.
constexpr bool is_over(JobState state) {
  return state != JobState::kQueued && state != JobState::kRunning;
}

constexpr int kHighestPriority = 100;  ///< the lowest is its negative

/// Attempts in a row that may end without a word and without having saved anything.
constexpr std::int64_t kMostIdleAttempts = 3;

/// Seconds that a job waits for a worker that can go on with it, before another one begins it from the start.
constexpr std::int64_t kPatienceSeconds = 300;

/// Seconds that a worker has a job for without saying anything.
constexpr std::int64_t kLeaseSeconds = 30;

struct JobRow {
  std::string id;
  JobKind kind = JobKind::kAnimate;
  std::string lane;
  JobState state = JobState::kQueued;
  std::int64_t priority = 0;
  std::int64_t revision = 0;  ///< of the last change that others should see
  std::optional<std::string> label;
  std::string request;                   ///< JSON
  std::optional<std::string> poses_job;  ///< whose poses it takes
  std::optional<std::string> progress;   ///< JSON
  std::optional<std::string> result;     ///< JSON
  std::optional<std::string> problem;    ///< JSON
  std::int64_t attempt = 0;              ///< number of the present or last one; 0: none was begun
  std::int64_t idle_attempts = 0;        ///< the last ones that were begun and have saved nothing
  std::optional<std::string> worker;
  std::optional<std::string> device;  ///< "cuda bf16": what its work was begun on
  std::optional<std::string> setup;   ///< WorkerRow::setup of who began it
  std::optional<double> lease_until;
  std::optional<double> not_before;
  bool cancel_requested = false;
  double created = 0;
  double queued = 0;
  std::int64_t place = 0;  ///< in the queue, among those of the same priority
  std::optional<double> started;
  std::optional<double> finished;
};

struct NewJob {
  JobKind kind = JobKind::kAnimate;
  std::int64_t priority = 0;  ///< -kHighestPriority … kHighestPriority; higher ones are taken first
  std::optional<std::string> label;
  std::string request;  ///< JSON
  std::optional<std::string> poses_job;
  std::vector<std::string> assets;             ///< that the job needs, by their ids
  std::optional<std::string> idempotency_key;  ///< of the caller, who may ask again
  std::string body_sha256;                     ///< with the key: of all that is asked for
  std::optional<std::int64_t> most_waiting;    ///< jobs that wait, with this one; none: any number
};

/// One attempt at a job: every word of a worker on it says which it is.
struct Claim {
  std::string job;
  std::int64_t attempt = 0;
};

/// Of a worker, as it last said.
struct WorkerRow {
  std::string id;
  std::string lane;
  std::string host;
  std::int64_t pid = 0;
  std::string device;  ///< "cuda"
  std::string dtype;   ///< "bf16"
  std::optional<std::string> job;
  std::optional<std::int64_t> usable_bytes = std::nullopt;  ///< of the device's memory, when it began
  double seen = 0;
  std::string setup = {};           ///< models and all else of the worker that a video depends on
  std::int64_t resident_bytes = 0;  ///< of its memory
  std::string gpu = {};             ///< what CUDA_VISIBLE_DEVICES names its GPU by on its host; empty: it has none
};

/// A file that jobs are made from.
struct AssetRow {
  std::string id;
  std::string sha256;
  std::int64_t bytes = 0;
  std::string type;                 ///< "image/jpeg", by its content
  std::optional<std::string> name;  ///< that its owner gave it; never part of a path
  double created = 0;
  double used = 0;  ///< when a job was last made that needs it
};

}  // namespace unianimate::queue
