// A job that is gone on with, with its files.
#pragma once

#include <optional>
#include <string>

#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::store {

/// Queues a failed or cancelled job again, which has to be there; `fresh`: without what is done so far. None where its
/// state does not allow that. Throws Error(kUsage) where a worker that lost it still has its folder,
/// Error(kEnvironment).
std::optional<queue::JobRow> resume_job(const DataFolder& folder, queue::JobQueue& queue, const std::string& id,
                                        bool fresh);

}  // namespace unianimate::store
