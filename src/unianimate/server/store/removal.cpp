#include "unianimate/server/store/removal.h"

#include <memory>

#include "unianimate/core/error.h"
#include "unianimate/core/folder_lock.h"

namespace unianimate::store {

namespace {

/// Null where a worker has the job's folder.
std::unique_ptr<FolderLock> lock_where_free(const DataFolder& folder, const std::string& id) {
  try {
    return std::make_unique<FolderLock>(folder.job(id), "worker");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage) throw;
    return nullptr;
  }
}

}  // namespace

std::optional<queue::JobRow> remove_job(const DataFolder& folder, queue::JobQueue& queue, const std::string& id) {
  const auto job = queue.remove(id);
  if (job && job->state == queue::JobState::kRemoved) remove_job_files(folder, id);
  return job;
}

void remove_job_files(const DataFolder& folder, const std::string& id) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder.job(id), ignored)) return;
  if (const auto lock = lock_where_free(folder, id)) folder.remove_job(id);
}

bool remove_work_files(const DataFolder& folder, const std::string& id) {
  const auto lock = lock_where_free(folder, id);
  if (lock) folder.remove_work(id);
  return lock != nullptr;
}

}  // namespace unianimate::store
