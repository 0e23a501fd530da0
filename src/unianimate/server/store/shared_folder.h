// One queue, one data folder, on however many machines.
#pragma once

#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::store {

/// Whoever uses a queue in a database first ties it to the data folder. Throws Error(kUsage) where this one is another
/// or goes by another path, as jobs would miss their files there, goes with another queue, which would lose files that
/// this one does not need, or has jobs of its own in DataFolder::database(), which nobody would do any more;
/// Error(kEnvironment).
void keep_together(const DataFolder& folder, queue::JobQueue& queue);

/// Throws Error(kUsage) where the folder is tied to a queue in a database: one in DataFolder::database() would be
/// another one, without its jobs.
void require_own_queue(const DataFolder& folder);

}  // namespace unianimate::store
