// A process that does one job after another.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"
#include "unianimate/server/worker/job_progress.h"
#include "unianimate/server/worker/lease.h"
#include "unianimate/server/worker/runner.h"

namespace unianimate::worker {

struct WorkerOptions {
  std::string lane = "video";
  bool once = false;                        ///< ends after one job
  bool ends_with_parent = false;            ///< ends between two jobs once the process that started it is gone
  std::optional<double> idle_exit_seconds;  ///< ends after so long without a job
  LeaseTimes lease;
  std::chrono::milliseconds look{1000};  ///< longest time between two looks for a job
};

/// "host-4711", of a process on this machine: how a supervisor knows the workers that it started.
std::string worker_id(std::int64_t pid);

/// Takes jobs of its lane until it is to end. Every word on a job is the attempt's own: who lost the lease writes
/// nothing more.
class Worker {
 public:
  /// All have to outlive this. `stopping`: whether to end, asked from any thread; the job under way is then given back
  /// with what is saved. `watcher` is told of everything.
  Worker(const OpenQueue& open, queue::JobQueue& queue, const store::DataFolder& folder, JobRunner& runner,
         const WorkerOptions& options, std::function<bool()> stopping, studio::JobObserver& watcher);

  /// Throws Error(kEnvironment) where the queue cannot be used.
  void run();

 private:
  bool wait_for_job(std::chrono::steady_clock::time_point idle_since);
  void work_on(const queue::JobRow& job);
  void complete(const queue::JobRow& job, const std::optional<std::filesystem::path>& video, JobProgress& progress);
  void end_badly(const queue::JobRow& job, const std::exception_ptr& problem, const JobProgress& progress);
  [[nodiscard]] std::string readable(const queue::JobRow& job, std::string message);
  [[nodiscard]] bool to_end() const;

  OpenQueue open_;
  queue::JobQueue& queue_;
  const store::DataFolder& folder_;
  JobRunner& runner_;
  WorkerOptions options_;
  std::function<bool()> stopping_;
  studio::JobObserver& watcher_;
  queue::WorkerRow row_;
  std::int64_t parent_;
};

}  // namespace unianimate::worker
