// How old rows of the database are, whose clock may be set.
#pragma once

#include <functional>
#include <mutex>

#include "unianimate/server/queue/job_queue.h"

namespace unianimate::store {

/// Tells time that passed from a clock that was set forward, while this is there. May be used from several threads.
class Aging {
 public:
  /// Seconds by a clock that nobody sets and that runs while the machine sleeps.
  static double seconds_since_boot();

  explicit Aging(queue::JobQueue& queue, std::function<double()> elapsed = seconds_since_boot);

  /// What is older than this by the database's clock is older than so many seconds. Throws as JobQueue.
  [[nodiscard]] double by_database(queue::JobQueue& queue, double seconds);

 private:
  std::function<double()> elapsed_;
  double offset_;  ///< of the database's clock to that of `elapsed`, at first
  std::mutex mutex_;
  double set_forward_ = 0;  ///< seconds that did not pass
  double seen_ = 0;  ///< when that was seen last to grow, by the database's clock: later rows are as old as they say
};

}  // namespace unianimate::store
