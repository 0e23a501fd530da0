// What may stay in the data folder, and for how long.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/aging.h"
#include "unianimate/server/store/data_folder.h"
#include "unianimate/server/store/disk_account.h"

namespace unianimate::store {

/// Bytes of the disk that stay free: below that jobs wait, and what may go makes room if it is enough, or files are
/// refused.
constexpr std::uintmax_t kFreeBytesKept = 2'000'000'000;

struct Retention {
  static constexpr double kDay = 24.0 * 3600;

  /// Of the data folder. None: settled_quota(), for which no job goes.
  std::optional<std::uintmax_t> quota_bytes = {};
  std::optional<double> finished_seconds = {};  ///< jobs that are over stay so long; none: whatever their age
  std::int64_t always_kept = 20;                ///< those that ended last stay, whatever their age or the quota
  double unused_seconds = 7 * kDay;             ///< files that no job needs stay so long
  std::uintmax_t free_bytes = kFreeBytesKept;
};

/// What the folder held and 80 % of what was free when this was first asked for; no limit while that is not known.
/// `used`: what it holds now.
std::uintmax_t settled_quota(const DataFolder& folder, queue::JobQueue& queue, std::uintmax_t used);

/// Removes what is old or, where room is needed, the oldest: files that no job needs and, where somebody said how long
/// or how many may stay, jobs that are over; never what a job takes that waits, runs or may be resumed, nor what has
/// just been sent for the next one. Nothing ages by the database's clock being set forward while this is there. Says
/// what went in the queue's notices. May be called from several threads, each with a queue of its own. All calls throw
/// as JobQueue.
class Sweeper {
 public:
  /// `folder` has to outlive this. Looks at every file. `stopping`: whether the process is to end, asked from any
  /// thread; files are looked at and removed no longer then, and this throws Error(kCancelled). `elapsed`: seconds by a
  /// clock that nobody sets, as of Aging.
  Sweeper(const DataFolder& folder, queue::JobQueue& queue, const Retention& retention,
          DiskAccount::Stopping stopping = DiskAccount::never,
          std::function<double()> elapsed = Aging::seconds_since_boot);

  [[nodiscard]] std::uintmax_t quota() const noexcept { return quota_; }
  DiskAccount& account() noexcept { return account_; }
  Aging& aging() noexcept { return aging_; }

  /// All that is too old; the oldest beyond the quota, or where too little of the disk is free, if that mends it; files
  /// of jobs that are gone; rows that nobody asks for any more. Looks at every file.
  void sweep(queue::JobQueue& queue);

  /// One sentence saying why so many bytes more cannot be taken, even once what may go has gone; none where they can.
  /// Looks at files only before a job goes. Throws StoreBusy where somebody else is removing and does not come to an
  /// end soon.
  std::optional<std::string> refusal(queue::JobQueue& queue, std::uintmax_t bytes);

  /// A sentence for take_notices().
  void note(std::string text);
  /// What went, or could not, since the last call, a sentence each.
  std::vector<std::string> take_notices();

 private:
  struct Candidate;
  struct Removed;

  struct Room {
    std::uintmax_t used;                 ///< of the quota
    std::optional<std::uintmax_t> free;  ///< on the disk, where that is known
  };
  [[nodiscard]] Room room() const;
  [[nodiscard]] std::optional<std::string> obstacle(const Room& room, std::uintmax_t gone, std::uintmax_t bytes) const;
  [[nodiscard]] std::uintmax_t removable_bytes(queue::JobQueue& queue);
  void remove_old(queue::JobQueue& queue);
  void make_room(queue::JobQueue& queue, std::uintmax_t bytes, bool counted);
  void remove_orphans(queue::JobQueue& queue);
  void remove_files(const std::string& job);
  void remove_work(queue::JobQueue& queue, const std::string& job);
  [[nodiscard]] std::vector<Candidate> candidates(queue::JobQueue& queue);
  bool remove(queue::JobQueue& queue, const Candidate& candidate, Removed& removed);
  void tell(queue::JobQueue& queue, const Removed& removed, std::string_view why);

  const DataFolder& folder_;
  Retention retention_;
  DiskAccount::Stopping stopping_;
  Aging aging_;
  DiskAccount account_;
  std::uintmax_t quota_;
  std::timed_mutex sweeping_;  ///< one at a time
  std::mutex mutex_;           ///< of the notices
  std::vector<std::string> notices_;
};

}  // namespace unianimate::store
