#include "unianimate/server/store/disk_account.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

namespace unianimate::store {

namespace fs = std::filesystem;

namespace {

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

std::uintmax_t database_bytes(const DataFolder& folder) {
  std::uintmax_t bytes = 0;
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::error_code none;
    const std::uintmax_t size = fs::file_size(folder.database().concat(ending), none);
    if (!none) bytes += size;
  }
  return bytes;
}

std::uintmax_t less(std::uintmax_t all, std::uintmax_t part) {
  return all - std::min(all, part);
}

}  // namespace

std::optional<std::uintmax_t> free_bytes(const DataFolder& folder) {
  std::error_code problem;
  const fs::space_info space = fs::space(folder.root(), problem);
  if (problem || space.capacity == 0) return std::nullopt;
  return space.available;
}

DiskUse disk_use(const DataFolder& folder) {
  return DiskAccount(folder).use();
}

DiskAccount::DiskAccount(const DataFolder& folder) : folder_(folder) {
  count();
}

DiskUse DiskAccount::use() const {
  const std::uintmax_t database = database_bytes(folder_);
  const std::lock_guard lock(mutex_);
  DiskUse use = use_;
  use.incoming += own_incoming_;
  use.database = database;
  return use;
}

std::uintmax_t DiskAccount::bytes_of_job(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto job = jobs_.find(id);
  return job == jobs_.end() ? 0 : job->second.work + job->second.results;
}

DiskAccount::JobUse DiskAccount::look_at_job(const std::string& id) const {
  JobUse use;
  use.work = bytes_in(folder_.work(id));
  use.results = less(bytes_in(folder_.job(id)), use.work);
  return use;
}

/// Nobody waits while the folder is walked. What comes or goes meanwhile may be counted twice or not at all until the
/// next time.
void DiskAccount::count() {
  std::uintmax_t own = 0;
  {
    const std::lock_guard lock(mutex_);
    own = own_incoming_;
  }
  DiskUse use;
  use.assets = bytes_in(folder_.root() / "assets");
  use.incoming = less(bytes_in(folder_.incoming()), own);
  std::map<std::string, JobUse> jobs;
  for (const std::string& id : folder_.jobs()) {
    const JobUse job = look_at_job(id);
    use.work += job.work;
    use.results += job.results;
    jobs.emplace(id, job);
  }
  const std::lock_guard lock(mutex_);
  use_ = use;
  jobs_ = std::move(jobs);
}

void DiskAccount::put_job(const std::string& id, const JobUse* use) {
  const std::lock_guard lock(mutex_);
  JobUse& job = jobs_[id];
  use_.work = less(use_.work, job.work);
  use_.results = less(use_.results, job.results);
  if (use == nullptr) {
    jobs_.erase(id);
    return;
  }
  job = *use;
  use_.work += job.work;
  use_.results += job.results;
}

void DiskAccount::count_job(const std::string& id) {
  const JobUse use = look_at_job(id);
  put_job(id, &use);
}

void DiskAccount::forget_job(const std::string& id) {
  put_job(id, nullptr);
}

void DiskAccount::add_asset(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  use_.assets += static_cast<std::uintmax_t>(bytes);
}

void DiskAccount::remove_asset(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  use_.assets = less(use_.assets, static_cast<std::uintmax_t>(bytes));
}

void DiskAccount::add_incoming(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes < 0) {
    own_incoming_ = less(own_incoming_, static_cast<std::uintmax_t>(-bytes));
  } else {
    own_incoming_ += static_cast<std::uintmax_t>(bytes);
  }
}

}  // namespace unianimate::store
