// Holding a job while it is worked on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "unianimate/server/queue/job_queue.h"

namespace unianimate::worker {

/// Another connection to the queue, for another thread.
using OpenQueue = std::function<queue::JobQueue()>;

struct LeaseTimes {
  std::chrono::milliseconds between{5000};       ///< renewals
  std::chrono::milliseconds unreachable{25000};  ///< so long without the database, and the job counts as lost
};

/// Renews the lease of a job, and says that the worker is alive, in a thread of its own until it goes.
class Lease {
 public:
  /// `worker` is told of as it is.
  Lease(const OpenQueue& open, queue::Claim claim, queue::WorkerRow worker, LeaseTimes times = {});
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Another may have the job by now: nothing is to be written any more. May be asked from any thread.
  [[nodiscard]] bool lost() const { return lost_; }
  /// Somebody wants the job to stop. Likewise.
  [[nodiscard]] bool cancel_requested() const { return cancel_requested_; }

 private:
  void keep(const OpenQueue& open);
  void renew(queue::JobQueue& queue);
  bool wait();

  queue::Claim claim_;
  queue::WorkerRow worker_;
  LeaseTimes times_;
  std::atomic<bool> lost_ = false;
  std::atomic<bool> cancel_requested_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace unianimate::worker
