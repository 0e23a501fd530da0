#include "unianimate/server/store/resumption.h"

#include "unianimate/core/folder_lock.h"
#include "unianimate/core/output_file.h"

namespace unianimate::store {

std::optional<queue::JobRow> resume_job(const DataFolder& folder, queue::JobQueue& queue, const std::string& id,
                                        bool fresh) {
  // Held until the row is queued, so that no worker has what is removed.
  std::optional<FolderLock> lock;
  if (fresh) {
    make_folder(folder.job(id));
    lock.emplace(folder.job(id), "worker");
  }
  const auto job = queue.find(id);
  if (!job || (job->state != queue::JobState::kFailed && job->state != queue::JobState::kCancelled)) {
    return std::nullopt;
  }
  if (fresh) folder.remove_work(id);
  return queue.resume(id, fresh);
}

}  // namespace unianimate::store
