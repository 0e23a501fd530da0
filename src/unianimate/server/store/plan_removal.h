// Plans are of use to whoever asked for them, and for a while.
#pragma once

#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::store {

/// Removes plans that were over so many seconds ago, with their files. Throws Error(kEnvironment).
void remove_plans(const DataFolder& folder, queue::JobQueue& queue, double seconds);

}  // namespace unianimate::store
