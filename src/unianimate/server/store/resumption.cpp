#include "unianimate/server/store/resumption.h"

#include <utility>

#include "unianimate/core/folder_lock.h"
#include "unianimate/core/output_file.h"

namespace unianimate::store {

std::optional<queue::JobRow> resume_job(const DataFolder& folder, queue::JobQueue& queue, const std::string& id,
                                        bool fresh) {
  const auto job = queue.find(id);
  if (!job || (job->state != queue::JobState::kFailed && job->state != queue::JobState::kCancelled)) {
    return std::nullopt;
  }
  if (!fresh) return queue.resume(id, false);
  make_folder(folder.job(id));
  std::optional<FolderLock> lock(std::in_place, folder.job(id), "worker");
  const auto aside = folder.set_work_aside(id);
  std::optional<queue::JobRow> resumed;
  try {
    resumed = queue.resume(id, true);
  } catch (...) {
    if (aside) folder.put_work_back(*aside, id);
    throw;
  }
  // Whoever resumed it meanwhile wants what is saved.
  if (!resumed && aside) folder.put_work_back(*aside, id);
  lock.reset();
  if (resumed && aside) folder.remove_aside(*aside);
  return resumed;
}

}  // namespace unianimate::store
