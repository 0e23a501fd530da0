// A process that does one job after another.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"
#include "unianimate/server/store/sweeper.h"
#include "unianimate/server/worker/job_progress.h"
#include "unianimate/server/worker/lease.h"
#include "unianimate/server/worker/runner.h"
#include "unianimate/studio/failure.h"

namespace unianimate::worker {

struct WorkerOptions {
  std::string lane = "video";
  std::string id;           ///< of no other worker; empty: new_worker_id()
  bool once = false;        ///< ends after one job that it worked on
  std::int64_t parent = 0;  ///< process that started this one, with which it ends, between two jobs; 0: any
  std::optional<double> idle_exit_seconds;  ///< ends after so long without a job
  LeaseTimes lease;
  std::chrono::milliseconds look{1000};  ///< longest time between two looks for a job
  /// Jobs are left to wait while there is less free space where the queue lies.
  std::uintmax_t least_free_bytes = store::kFreeBytesKept;
};

/// Of this machine, or this container.
std::string host_name();

/// "host-3k9z0v7q", of no other worker, even where containers go by one host name. Throws Error(kEnvironment) as
/// queue::random_id().
std::string new_worker_id();

/// Takes jobs of its lane until it is to end. Every word on a job is the attempt's own: who lost the lease writes
/// nothing more.
class Worker {
 public:
  /// All have to outlive this. `stopping`: whether to end, asked from any thread; the job under way is then given back
  /// with what is saved. `watcher` is told of everything.
  Worker(const OpenQueue& open, queue::JobQueue& queue, const store::DataFolder& folder, JobRunner& runner,
         const WorkerOptions& options, std::function<bool()> stopping, studio::JobObserver& watcher);

  /// Waits while the queue's database is out of reach. Throws Error(kEnvironment) after a failure of a kind that nobody
  /// foresaw: what is left of the process may be of no use, and another one is to go on.
  void run();

 private:
  void say_alive(const std::optional<std::string>& job);
  bool has_room();
  std::optional<queue::JobRow> take_job();
  bool wait_for_job(std::chrono::steady_clock::time_point idle_since);
  /// Whether there was anything to do; else another process has its folder, and it is given back.
  bool work_on(const queue::JobRow& job);
  void require_data_folder(const queue::Claim& claim);
  void complete(const queue::JobRow& job, const std::optional<std::filesystem::path>& video,
                const JobProgress& progress);
  void remove_files_of_removed(const std::string& job);
  /// What cannot be removed stays, and is told of.
  void remove(const std::function<void()>& files);
  void end_badly(const queue::JobRow& job, const std::exception_ptr& problem, const JobProgress& progress);
  void fail(const queue::JobRow& job, const studio::Failure& failure, const JobProgress& progress);
  /// Makes the last change of a job, again and again while the database cannot be written and the job is held.
  template <typename Change>
  auto settle(const JobProgress& progress, const Change& change);
  void make_readable(const queue::JobRow& job, nlohmann::ordered_json& value);
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
  std::chrono::steady_clock::time_point said_;  ///< that it is alive
  bool told_of_room_ = false;
  bool told_of_queue_ = false;  ///< that it is out of reach
};

}  // namespace unianimate::worker
