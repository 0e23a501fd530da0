// The workers that a service starts, and starts again when they end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/server/queue/job_queue.h"

namespace unianimate::worker {

/// One worker that is to be there.
struct SupervisedWorker {
  std::string lane;
  std::vector<std::string> command;  ///< the program's path and its arguments
};

/// Belongs to one thread, which calls tend() about once a second. Workers that outlive this end by themselves where
/// they were told to (WorkerOptions::ends_with_parent).
class Supervisor {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `queue` and `log`, which is told of starts and ends, have to outlive this.
  Supervisor(queue::JobQueue& queue, std::vector<SupervisedWorker> workers, Progress& log);
  /// As stop() without patience.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Starts what is missing: at once where a worker was never there, else 1, 2, 4, … 60 seconds after it ended, and not
  /// while others, left by an earlier service or started by hand, do the lane's work. Gives back the jobs of those
  /// that ended, and ends those that have not said anything for the time of a lease.
  void tend(Time now);

  /// Asks all to stop, which give their jobs back, and kills those that have not within that time.
  void stop(std::chrono::milliseconds patience = std::chrono::seconds(30));

  /// Of the workers that are there.
  [[nodiscard]] std::vector<pid_t> pids() const;

 private:
  struct Child {
    SupervisedWorker worker;
    pid_t pid = 0;  ///< 0: there is none
    Time began;
    Time start_after;
    std::chrono::seconds delay{1};  ///< before the next start
  };

  void reap(Child& child, Time now);
  void start(Child& child, Time now);
  void kill_silent();
  [[nodiscard]] std::size_t others_in(const std::string& lane);

  queue::JobQueue& queue_;
  std::vector<Child> children_;
  Progress& log_;
};

}  // namespace unianimate::worker
