#include "unianimate/server/store/sweeper.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <system_error>
#include <utility>
#include <variant>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/store/removal.h"
#include "unianimate/server/store/store_lock.h"

namespace unianimate::store {

namespace fs = std::filesystem;

namespace {

/// So long ago a file has to have been sent or used last to go for others: its job may be about to come.
constexpr double kHour = 3600;

constexpr const char* kQuotaSetting = "quota_bytes";

std::string bytes_text(std::uintmax_t bytes) {
  return format_bytes(static_cast<std::int64_t>(bytes));
}

}  // namespace

std::uintmax_t settled_quota(const DataFolder& folder, queue::JobQueue& queue, std::uintmax_t used) {
  constexpr std::uintmax_t kTenths = 8;
  constexpr std::uintmax_t kTen = 10;
  if (const auto known = queue.setting(kQuotaSetting)) {
    std::uintmax_t quota = 0;
    const auto result = std::from_chars(known->data(), known->data() + known->size(), quota);
    if (result.ec == std::errc() && quota > 0) return quota;
  }
  const auto free = free_bytes(folder);
  if (!free) return std::numeric_limits<std::uintmax_t>::max();
  const std::uintmax_t quota = used + *free / kTen * kTenths;
  queue.set_setting(kQuotaSetting, fmt::to_string(quota));
  return quota;
}

/// Something that may go.
struct Sweeper::Candidate {
  double time = 0;  ///< it ended, or was used last
  std::variant<queue::JobRow, queue::AssetRow> what;
};

/// What went.
struct Sweeper::Removed {
  std::int64_t jobs = 0;
  std::int64_t files = 0;
  std::uintmax_t bytes = 0;
};

Sweeper::Sweeper(const DataFolder& folder, queue::JobQueue& queue, const Retention& retention,
                 DiskAccount::Stopping stopping, std::function<double()> elapsed)
    : folder_(folder),
      retention_(retention),
      stopping_(std::move(stopping)),
      aging_(queue, std::move(elapsed)),
      account_(folder, stopping_),
      quota_(retention.quota_bytes ? *retention.quota_bytes : settled_quota(folder, queue, account_.use().total())) {}

void Sweeper::sweep(queue::JobQueue& queue) {
  // Whoever waits for room does not wait for these.
  if (!account_.count(stopping_)) return;
  {
    const std::lock_guard lock(sweeping_);
    remove_old(queue);
    make_room(queue, 0, true);
  }
  remove_orphans(queue);
  queue.forget_removed(aging_.by_database(queue, Retention::kDay));
}

std::optional<std::string> Sweeper::refusal(queue::JobQueue& queue, std::uintmax_t bytes) {
  if (!obstacle(room(), 0, bytes)) return std::nullopt;
  constexpr std::chrono::seconds kPatience{1};
  const std::unique_lock lock(sweeping_, kPatience);
  if (!lock) throw StoreBusy("{} is being made room in, which takes a while", printable(folder_.root().string()));
  remove_old(queue);
  make_room(queue, bytes, false);
  return obstacle(room(), 0, bytes);
}

std::vector<std::string> Sweeper::take_notices() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notices_, {});
}

Sweeper::Room Sweeper::room() const {
  return {account_.use().total(), free_bytes(folder_)};
}

/// What keeps so many bytes from being taken, once others are gone.
std::optional<std::string> Sweeper::obstacle(const Room& room, std::uintmax_t gone, std::uintmax_t bytes) const {
  const std::uintmax_t used = room.used - std::min(room.used, gone);
  if (used > quota_ || bytes > quota_ - used) {
    const char* const remedy =
        retention_.quota_bytes ? "raise --quota of the server"
                               : "start the server with --quota SIZE, for which the oldest finished jobs go, or with "
                                 "--keep DAYS, after which they go";
    return fmt::format(
        "the server's data folder holds {} of the {} that it may hold, and {} more do not fit; delete jobs that are "
        "not "
        "needed any more ('unianimate queue delete'), or {}",
        bytes_text(used), bytes_text(quota_), bytes_text(bytes), remedy);
  }
  const std::uintmax_t free = room.free.value_or(0) + gone;
  if (room.free && (free < retention_.free_bytes || bytes > free - retention_.free_bytes)) {
    return fmt::format(
        "the server's disk has {} left, and {} of it are kept free; make room there, or delete jobs that are not "
        "needed "
        "any more ('unianimate queue delete')",
        bytes_text(free), bytes_text(retention_.free_bytes));
  }
  return std::nullopt;
}

void Sweeper::remove_old(queue::JobQueue& queue) {
  Removed removed;
  std::string kept = fmt::format("files that no job needs stay {:g} days", retention_.unused_seconds / Retention::kDay);
  if (retention_.finished_seconds) {
    const double last = queue.now() - aging_.by_database(queue, *retention_.finished_seconds);
    for (queue::JobRow& job : queue.removable_jobs(retention_.always_kept)) {
      const double time = job.finished.value_or(job.created);
      if (stopping_()) break;
      if (time < last) remove(queue, {time, std::move(job)}, removed);
    }
    kept =
        fmt::format("finished jobs stay {:g} days (--keep), {}", *retention_.finished_seconds / Retention::kDay, kept);
  }
  for (queue::AssetRow& asset : queue.unused_assets(aging_.by_database(queue, retention_.unused_seconds))) {
    if (stopping_()) break;
    const double time = asset.used;
    remove(queue, {time, std::move(asset)}, removed);
  }
  tell(queue, removed, "by their age: " + kept);
}

/// `counted`: all files have just been looked at. No job goes for what the account does not know.
void Sweeper::make_room(queue::JobQueue& queue, std::uintmax_t bytes, bool counted) {
  // Nothing goes in vain.
  const Room before = room();
  if (!obstacle(before, 0, bytes) || obstacle(before, removable_bytes(queue), bytes)) return;
  Removed removed;
  bool goes_on = true;
  bool to_count = false;
  while (goes_on && !to_count) {
    goes_on = false;
    for (const Candidate& candidate : candidates(queue)) {
      // The disk may give the room of what went only later, as to whoever still reads it.
      if (stopping_() || !obstacle(before, removed.bytes, bytes)) break;
      to_count = !counted && std::holds_alternative<queue::JobRow>(candidate.what);
      if (to_count) break;
      // What this one needed may go after it.
      goes_on = remove(queue, candidate, removed) || goes_on;
    }
  }
  tell(queue, removed,
       fmt::format("to make room: the data folder may hold {}{}, and {} of the disk are kept free", bytes_text(quota_),
                   retention_.quota_bytes ? " (--quota)" : "", bytes_text(retention_.free_bytes)));
  if (to_count && account_.count(stopping_)) make_room(queue, bytes, true);
}

/// What may go, with the files that nobody needs once the jobs that may go are gone.
std::uintmax_t Sweeper::removable_bytes(queue::JobQueue& queue) {
  std::uintmax_t bytes = 0;
  for (const Candidate& candidate : candidates(queue)) {
    if (const auto* const job = std::get_if<queue::JobRow>(&candidate.what)) {
      bytes += account_.bytes_of_job(job->id);
    } else if (!retention_.quota_bytes) {
      bytes += static_cast<std::uintmax_t>(std::get<queue::AssetRow>(candidate.what).bytes);
    }
  }
  if (!retention_.quota_bytes) return bytes;
  return bytes + static_cast<std::uintmax_t>(
                     queue.removable_asset_bytes(retention_.always_kept, aging_.by_database(queue, kHour)));
}

/// What may go to make room, the oldest first. What was made goes for nothing but a quota that somebody set.
std::vector<Sweeper::Candidate> Sweeper::candidates(queue::JobQueue& queue) {
  std::vector<Candidate> all;
  if (retention_.quota_bytes) {
    for (queue::JobRow& job : queue.removable_jobs(retention_.always_kept)) {
      const double time = job.finished.value_or(job.created);
      all.push_back({time, std::move(job)});
    }
  }
  for (queue::AssetRow& asset : queue.unused_assets(aging_.by_database(queue, kHour))) {
    const double time = asset.used;
    all.push_back({time, std::move(asset)});
  }
  std::ranges::stable_sort(all, {}, &Candidate::time);
  return all;
}

bool Sweeper::remove(queue::JobQueue& queue, const Candidate& candidate, Removed& removed) {
  if (const auto* const asset = std::get_if<queue::AssetRow>(&candidate.what)) {
    if (!remove_asset(folder_, queue, *asset, asset->used)) return false;
    account_.remove_asset(*asset);
    ++removed.files;
    removed.bytes += static_cast<std::uintmax_t>(asset->bytes);
    return true;
  }
  const auto& job = std::get<queue::JobRow>(candidate.what);
  const std::string& id = job.id;
  if (!queue.remove_unneeded(job)) return false;
  removed.bytes += account_.bytes_of_job(id);
  ++removed.jobs;
  remove_files(id);
  return true;
}

/// Files of jobs that were removed before them, and what is saved of those whose worker was killed just after they
/// were completed. Those that the queue never knew may be another's, or this one's from
/// before its database was lost.
void Sweeper::remove_orphans(queue::JobQueue& queue) {
  for (const std::string& id : folder_.jobs()) {
    if (stopping_()) return;
    if (queue.is_removed(id)) {
      remove_files(id);
    } else if (std::error_code ignored; fs::exists(folder_.work(id), ignored)) {
      remove_work(queue, id);
    }
  }
  try {
    folder_.remove_rest();
  } catch (const Error& error) {
    note(error.what());
  }
}

void Sweeper::remove_work(queue::JobQueue& queue, const std::string& job) {
  const auto row = queue.find(job);
  if (!row || row->state != queue::JobState::kCompleted) return;
  try {
    if (!remove_work_files(folder_, job)) return;
    account_.count_job(job);
  } catch (const Error& error) {
    note(error.what());
  }
}

/// Or else the next time.
void Sweeper::remove_files(const std::string& job) {
  try {
    remove_job_files(folder_, job);
    account_.forget_job(job);
  } catch (const Error& error) {
    note(error.what());
  }
}

void Sweeper::note(std::string text) {
  const std::lock_guard lock(mutex_);
  notices_.push_back(std::move(text));
}

void Sweeper::tell(queue::JobQueue& queue, const Removed& removed, std::string_view why) {
  std::vector<std::string> parts;
  if (removed.jobs > 0) parts.push_back(fmt::format("{} finished job{}", removed.jobs, removed.jobs == 1 ? "" : "s"));
  if (removed.files > 0) {
    parts.push_back(fmt::format("{} file{} that no job needs", removed.files, removed.files == 1 ? "" : "s"));
  }
  if (parts.empty()) return;
  std::string text = fmt::format("{}, {} in all, {} removed {}", fmt::join(parts, " and "), bytes_text(removed.bytes),
                                 removed.jobs + removed.files == 1 ? "was" : "were", why);
  queue.add_notice(text);
  note(std::move(text));
}

}  // namespace unianimate::store
