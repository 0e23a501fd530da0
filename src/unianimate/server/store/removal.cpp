#include "unianimate/server/store/removal.h"

#include "unianimate/core/error.h"
#include "unianimate/core/folder_lock.h"

namespace unianimate::store {

std::optional<queue::JobRow> remove_job(const DataFolder& folder, queue::JobQueue& queue, const std::string& id) {
  const auto job = queue.remove(id);
  if (job && job->state == queue::JobState::kRemoved) remove_job_files(folder, id);
  return job;
}

void remove_job_files(const DataFolder& folder, const std::string& id) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder.job(id), ignored)) return;
  try {
    const FolderLock lock(folder.job(id), "worker");
    folder.remove_job(id);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage) throw;
  }
}

}  // namespace unianimate::store
