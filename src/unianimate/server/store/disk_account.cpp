#include "unianimate/server/store/disk_account.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/server/store/store_lock.h"

namespace unianimate::store {

namespace fs = std::filesystem;

namespace {

/// Tells of all files in the folder, as far as they can be looked at; others may remove them meanwhile.
void for_each_file(const fs::path& folder, const DiskAccount::Stopping& stopping,
                   const std::function<void(const fs::path& file, std::uintmax_t bytes)>& tell) {
  std::error_code problem;
  constexpr auto kOptions = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, kOptions, problem), end; !problem && entry != end && !stopping();
       entry.increment(problem)) {
    std::error_code gone;
    if (!fs::is_regular_file(entry->symlink_status(gone)) || gone) continue;
    const std::uintmax_t size = entry->file_size(gone);
    if (!gone) tell(entry->path(), size);
  }
}

std::uintmax_t bytes_in(const fs::path& folder, const DiskAccount::Stopping& stopping) {
  std::uintmax_t bytes = 0;
  for_each_file(folder, stopping, [&](const fs::path& /*file*/, std::uintmax_t size) { bytes += size; });
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

DiskAccount::DiskAccount(const DataFolder& folder, const Stopping& stopping) : folder_(folder) {
  if (!count(stopping)) throw Error(ErrorKind::kCancelled, "stopped while the files of the data folder were looked at");
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

DiskAccount::JobUse DiskAccount::look_at_job(const std::string& id, const Stopping& stopping) const {
  JobUse use;
  use.work = bytes_in(folder_.work(id), stopping);
  use.results = less(bytes_in(folder_.job(id), stopping), use.work);
  return use;
}

bool DiskAccount::look(Files& assets, Jobs& jobs, const Stopping& stopping) const {
  for_each_file(folder_.root() / "assets", stopping, [&](const fs::path& file, std::uintmax_t bytes) {
    if (file.filename() != kStoreLockName) assets[file.filename().string()] = bytes;
  });
  for (const std::string& id : folder_.jobs()) {
    if (stopping()) return false;
    jobs.emplace(id, look_at_job(id, stopping));
  }
  return !stopping();
}

/// Nobody waits while the folder is walked, but for incoming/, which holds few files: those of this process are in its
/// account already.
bool DiskAccount::count(const Stopping& stopping) {
  const std::lock_guard one(counting_);
  {
    const std::lock_guard lock(mutex_);
    journal_.emplace();
  }
  Files assets;
  Jobs jobs;
  const bool whole = look(assets, jobs, stopping);
  const std::lock_guard lock(mutex_);
  const Journal said = std::exchange(journal_, std::nullopt).value();
  if (!whole) return false;
  for (const auto& [name, bytes] : said.assets) assets[name] = bytes;
  for (const auto& [id, job] : said.jobs) {
    jobs.erase(id);
    if (job) jobs.emplace(id, *job);
  }
  DiskUse use;
  for (const auto& [name, bytes] : assets) use.assets += bytes;
  for (const auto& [id, job] : jobs) {
    use.work += job.work;
    use.results += job.results;
  }
  use.incoming = less(bytes_in(folder_.incoming(), never), own_incoming_);
  use_ = use;
  jobs_ = std::move(jobs);
  return true;
}

void DiskAccount::put_job(const std::string& id, const std::optional<JobUse>& use) {
  const std::lock_guard lock(mutex_);
  if (journal_) journal_->jobs[id] = use;
  const JobUse before = std::exchange(jobs_[id], use.value_or(JobUse()));
  use_.work = less(use_.work, before.work) + jobs_[id].work;
  use_.results = less(use_.results, before.results) + jobs_[id].results;
  if (!use) jobs_.erase(id);
}

void DiskAccount::count_job(const std::string& id, bool work_stays) {
  JobUse use = look_at_job(id, never);
  if (!work_stays) use.work = 0;
  put_job(id, use);
}

void DiskAccount::forget_job(const std::string& id) {
  put_job(id, std::nullopt);
}

std::string DiskAccount::name_of(const queue::AssetRow& asset) const {
  return folder_.asset(asset.sha256, asset.type).filename().string();
}

void DiskAccount::add_asset(const queue::AssetRow& asset) {
  const std::lock_guard lock(mutex_);
  if (journal_) journal_->assets[name_of(asset)] = static_cast<std::uintmax_t>(asset.bytes);
  use_.assets += static_cast<std::uintmax_t>(asset.bytes);
}

void DiskAccount::remove_asset(const queue::AssetRow& asset) {
  const std::lock_guard lock(mutex_);
  if (journal_) journal_->assets[name_of(asset)] = 0;
  use_.assets = less(use_.assets, static_cast<std::uintmax_t>(asset.bytes));
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
