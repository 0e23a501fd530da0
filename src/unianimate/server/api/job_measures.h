// How long jobs take, as the changes of the queue tell.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "unianimate/server/api/metrics.h"
#include "unianimate/server/queue/job.h"

namespace unianimate::server {

/// May be used from several threads.
class JobMeasures {
 public:
  /// The job as it is after a change.
  void see(const queue::JobRow& job);
  void write(MetricsText& text) const;

 private:
  static constexpr std::array kJobBounds{1.0, 10.0, 60.0, 300.0, 1'800.0, 3'600.0, 14'400.0, 86'400.0};
  static constexpr std::array kStepBounds{0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0};

  /// What was last told of an attempt.
  struct Told {
    std::int64_t attempt = 0;
    std::string phase;
    std::int64_t done = 0;
    double seconds = 0;  ///< since the attempt began
  };
  void see_progress(const queue::JobRow& job);

  mutable std::mutex mutex_;
  std::map<queue::JobKind, Histogram> jobs_;
  Histogram steps_{kStepBounds};
  std::map<std::string, Told> told_;  ///< of jobs that run
};

}  // namespace unianimate::server
