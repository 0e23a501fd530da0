// The workers that a service starts, and starts again when they end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/core/control_groups.h"
#include "unianimate/core/progress.h"
#include "unianimate/server/queue/job_queue.h"

namespace unianimate::worker {

/// One worker that is to be there.
struct SupervisedWorker {
  std::string lane;
  /// The program's path and its arguments, which "--id" and the id that the worker has to take follow.
  std::vector<std::string> command;
  std::vector<std::string> environment = {};  ///< "NAME=value", beside and instead of the service's own
  std::string gpu = {};                       ///< as queue::WorkerRow::gpu
};

/// Belongs to one thread, which calls tend() about once a second. The workers write to stderr alone, and signals of the
/// terminal do not reach them. Those that outlive this end by themselves where they were told to
/// (WorkerOptions::parent).
class Supervisor {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `queue` and `log`, which is told of starts and ends, have to outlive this. From now on the process learns of the
  /// ends of its children, whatever it inherited. `memory_kills`: how many processes of this one's control group were
  /// ended for want of memory; a worker that is killed soon after there was one more is taken for it.
  Supervisor(
      queue::JobQueue& queue, std::vector<SupervisedWorker> workers, Progress& log,
      std::function<std::int64_t()> memory_kills = [] { return count_memory_kills(); });
  /// As stop() without patience.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Starts what is missing: at once where a worker was never there, else 1, 2, 4, … 60 seconds after it ended, and not
  /// while others of this machine, left by an earlier service or started by hand, do the lane's work or have its GPU,
  /// which one that comes late would find without the memory that it needs. Gives back the
  /// jobs of those that ended, and ends those that have been there and not said anything for the time of a lease; of
  /// others of this machine of which that is so it tells the log and the queue, once.
  /// Nothing is done while the queue's database is out of reach.
  void tend(Time now);

  /// Asks all to stop, which then give their jobs back; none is started any more.
  void ask_to_stop();
  /// The same where it was not done yet, and kills those that have not ended within that time of it.
  void stop(std::chrono::milliseconds patience = std::chrono::seconds(30));

  /// Of the workers that are there, in one order.
  [[nodiscard]] std::vector<pid_t> pids() const;
  [[nodiscard]] std::vector<std::string> ids() const;

 private:
  struct Child {
    SupervisedWorker worker;
    pid_t pid = 0;   ///< 0: there is none
    std::string id;  ///< of the one that is there, or was last
    Time began;
    Time start_after;
    std::chrono::seconds delay{1};  ///< before the next start
    double seen = 0;                ///< when it last said something, by the database's clock; 0: never
    Time heard;                     ///< when that was noticed
    bool out_of_memory = false;     ///< it was ended for want of that
    bool killed_here = false;
  };

  void look_after(Time now);
  void start(Child& child, Time now);
  void start_later(Child& child, Time now);
  /// How it ended, if it has: "by signal 9".
  std::optional<std::string> take_end(Child& child, Time now, int options);
  void look_at_memory(Time now);
  /// Ends its jobs and forgets it, if the database lets that happen now.
  void let_go_of(const Child& child, const std::function<void(const std::string& id)>& end_jobs);
  void lose_jobs_of(const Child& child, const std::string& ending);
  void look_at_silent(Time now);
  void tell_of_silent(const std::vector<queue::WorkerRow>& workers, Time now);
  [[nodiscard]] bool is_missing(const Child& child);

  /// Of a worker that others started.
  struct Other {
    double seen = 0;  ///< as of Child
    Time heard;
    bool told = false;  ///< that it is silent
  };

  queue::JobQueue& queue_;
  std::vector<Child> children_;
  std::map<std::string, Other> others_;  ///< that were heard of, by their ids
  std::optional<Time> asked_to_stop_;
  Progress& log_;
  bool told_of_queue_ = false;  ///< that it is out of reach
  std::function<std::int64_t()> memory_kills_;
  std::int64_t kills_seen_;             ///< what that said last
  std::optional<Time> memory_ran_out_;  ///< when it had become more
};

}  // namespace unianimate::worker
