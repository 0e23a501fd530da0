#include "unianimate/server/store/sweeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>
#include <variant>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/server/queue/job_json.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/store/removal.h"

namespace unianimate::store {

namespace fs = std::filesystem;

namespace {

/// So long ago a file has to have been sent or used last to go for others: its job may be about to come.
constexpr double kHour = 3600;

constexpr const char* kQuotaSetting = "quota_bytes";

std::string bytes_text(std::uintmax_t bytes) {
  return format_bytes(static_cast<std::int64_t>(bytes));
}

/// Of all files in the folder, as far as they can be looked at; others may remove them meanwhile.
std::uintmax_t bytes_in(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  std::error_code problem;
  constexpr auto kOptions = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, kOptions, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    std::error_code gone;
    if (!fs::is_regular_file(entry->symlink_status(gone)) || gone) continue;
    const std::uintmax_t size = entry->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

std::vector<std::string> job_folders(const DataFolder& folder) {
  std::vector<std::string> ids;
  std::error_code problem;
  for (fs::directory_iterator entry(folder.root() / "jobs", problem), end; !problem && entry != end;
       entry.increment(problem)) {
    std::string name = entry->path().filename().string();
    if (queue::is_id('j', name)) ids.push_back(std::move(name));
  }
  return ids;
}

}  // namespace

std::optional<std::uintmax_t> free_bytes(const DataFolder& folder) {
  std::error_code problem;
  const fs::space_info space = fs::space(folder.root(), problem);
  if (problem || space.capacity == 0) return std::nullopt;
  return space.available;
}

DiskUse disk_use(const DataFolder& folder) {
  DiskUse use;
  use.assets = bytes_in(folder.root() / "assets");
  use.incoming = bytes_in(folder.incoming());
  for (const std::string& id : job_folders(folder)) {
    const std::uintmax_t work = bytes_in(folder.work(id));
    const std::uintmax_t all = bytes_in(folder.job(id));
    use.work += work;
    use.results += all - std::min(all, work);
  }
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::error_code none;
    const std::uintmax_t size = fs::file_size(folder.database().concat(ending), none);
    if (!none) use.database += size;
  }
  return use;
}

std::uintmax_t settled_quota(const DataFolder& folder, queue::JobQueue& queue) {
  constexpr std::uintmax_t kTenths = 8;
  constexpr std::uintmax_t kTen = 10;
  if (const auto known = queue.setting(kQuotaSetting)) {
    std::uintmax_t quota = 0;
    const auto result = std::from_chars(known->data(), known->data() + known->size(), quota);
    if (result.ec == std::errc() && quota > 0) return quota;
  }
  const auto free = free_bytes(folder);
  if (!free) return std::numeric_limits<std::uintmax_t>::max();
  const std::uintmax_t quota = disk_use(folder).total() + *free / kTen * kTenths;
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

Sweeper::Sweeper(const DataFolder& folder, queue::JobQueue& queue, const Retention& retention)
    : folder_(folder),
      retention_(retention),
      quota_(retention.quota_bytes ? *retention.quota_bytes : settled_quota(folder, queue)) {}

void Sweeper::sweep(queue::JobQueue& queue) {
  const std::lock_guard lock(mutex_);
  remove_old(queue);
  make_room(queue, 0);
  remove_orphans(queue);
  queue.forget_removed(Retention::kDay);
}

std::optional<std::string> Sweeper::refusal(queue::JobQueue& queue, std::uintmax_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!obstacle(disk_use(folder_).total(), 0, bytes)) return std::nullopt;
  remove_old(queue);
  make_room(queue, bytes);
  return obstacle(disk_use(folder_).total(), 0, bytes);
}

std::vector<std::string> Sweeper::take_notices() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notices_, {});
}

/// What keeps so many bytes from being taken, once others are gone.
std::optional<std::string> Sweeper::obstacle(std::uintmax_t used, std::uintmax_t gone, std::uintmax_t bytes) const {
  used -= std::min(used, gone);
  if (used > quota_ || bytes > quota_ - used) {
    return fmt::format(
        "the server's data folder holds {} of the {} that it may hold, and {} more do not fit; delete jobs that are "
        "not needed any more, or raise --quota of the server",
        bytes_text(used), bytes_text(quota_), bytes_text(bytes));
  }
  const auto known = free_bytes(folder_);
  const std::uintmax_t free = known.value_or(0) + gone;
  if (known && (free < retention_.free_bytes || bytes > free - retention_.free_bytes)) {
    return fmt::format("the server's disk has {} left, and {} of it are kept free; make room there", bytes_text(free),
                       bytes_text(retention_.free_bytes));
  }
  return std::nullopt;
}

void Sweeper::remove_old(queue::JobQueue& queue) {
  Removed removed;
  const double now = queue.now();
  for (const Candidate& candidate : candidates(queue)) {
    const bool is_job = std::holds_alternative<queue::JobRow>(candidate.what);
    const double kept = is_job ? retention_.finished_seconds : retention_.unused_seconds;
    if (candidate.time < now - kept) remove(queue, candidate, removed);
  }
  // What only a job needed that has just gone.
  for (const queue::AssetRow& asset : queue.unused_assets(retention_.unused_seconds)) {
    remove(queue, {asset.used, asset}, removed);
  }
  tell(queue, removed, "as they were older than the server keeps them (--keep)");
}

void Sweeper::make_room(queue::JobQueue& queue, std::uintmax_t bytes) {
  // Nothing goes in vain.
  const std::uintmax_t used = disk_use(folder_).total();
  if (obstacle(used, removable_bytes(queue), bytes)) return;
  Removed removed;
  bool goes_on = true;
  while (goes_on) {
    goes_on = false;
    for (const Candidate& candidate : candidates(queue)) {
      if (!obstacle(used - std::min(used, removed.bytes), 0, bytes)) break;
      // What this one needed may go after it.
      goes_on = remove(queue, candidate, removed) || goes_on;
    }
  }
  tell(queue, removed,
       fmt::format("to make room: the data folder may hold {} (--quota), and {} of the disk are kept free",
                   bytes_text(quota_), bytes_text(retention_.free_bytes)));
}

/// No less than what may go, with the files that jobs which may go need.
std::uintmax_t Sweeper::removable_bytes(queue::JobQueue& queue) const {
  std::uintmax_t bytes = 0;
  for (const Candidate& candidate : candidates(queue)) {
    if (const auto* const asset = std::get_if<queue::AssetRow>(&candidate.what)) {
      bytes += static_cast<std::uintmax_t>(asset->bytes);
      continue;
    }
    const std::string& id = std::get<queue::JobRow>(candidate.what).id;
    bytes += bytes_in(folder_.job(id));
    for (const queue::AssetRow& asset : queue.assets_of(id)) bytes += static_cast<std::uintmax_t>(asset.bytes);
  }
  return bytes;
}

/// The oldest first.
std::vector<Sweeper::Candidate> Sweeper::candidates(queue::JobQueue& queue) const {
  std::vector<Candidate> all;
  for (queue::JobRow& job : queue.removable_jobs(retention_.always_kept)) {
    const double time = job.finished.value_or(job.created);
    all.push_back({time, std::move(job)});
  }
  for (queue::AssetRow& asset : queue.unused_assets(kHour)) {
    const double time = asset.used;
    all.push_back({time, std::move(asset)});
  }
  std::ranges::stable_sort(all, {}, &Candidate::time);
  return all;
}

bool Sweeper::remove(queue::JobQueue& queue, const Candidate& candidate, Removed& removed) {
  if (const auto* const asset = std::get_if<queue::AssetRow>(&candidate.what)) {
    if (!remove_asset(folder_, queue, *asset)) return false;
    ++removed.files;
    removed.bytes += static_cast<std::uintmax_t>(asset->bytes);
    return true;
  }
  const std::string& id = std::get<queue::JobRow>(candidate.what).id;
  if (!queue.remove_unneeded(id)) return false;
  const std::uintmax_t bytes = bytes_in(folder_.job(id));
  remove_files(id);
  ++removed.jobs;
  removed.bytes += bytes;
  return true;
}

/// Files of jobs whose rows went before them.
void Sweeper::remove_orphans(queue::JobQueue& queue) {
  for (const std::string& id : job_folders(folder_)) {
    if (!queue.find(id)) remove_files(id);
  }
}

/// Or else the next time.
void Sweeper::remove_files(const std::string& job) {
  try {
    remove_job_files(folder_, job);
  } catch (const Error& error) {
    notices_.emplace_back(error.what());
  }
}

void Sweeper::tell(queue::JobQueue& queue, const Removed& removed, std::string_view why) {
  if (removed.jobs == 0 && removed.files == 0) return;
  std::string text = fmt::format("{} finished job{} and {} file{} that no job needs, {} in all, were removed {}",
                                 removed.jobs, removed.jobs == 1 ? "" : "s", removed.files,
                                 removed.files == 1 ? "" : "s", bytes_text(removed.bytes), why);
  queue.add_notice(text);
  notices_.push_back(std::move(text));
}

}  // namespace unianimate::store
