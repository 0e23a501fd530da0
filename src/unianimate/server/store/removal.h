// Jobs and all that they have made, gone for good.
#pragma once

#include <optional>
#include <string>

#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::store {

/// Removes a job with its files. One that runs is stopped first: it is still running in what is given, and its worker
/// removes the files. None where there is no such job. Throws Error(kEnvironment) where files cannot be removed; the
/// job is gone all the same, and Sweeper tries again.
std::optional<queue::JobRow> remove_job(const DataFolder& folder, queue::JobQueue& queue, const std::string& id);

/// Removes the files of a job that is removed. A worker that hung, and lost the job, may still have them: then they
/// stay until Sweeper comes by.
void remove_job_files(const DataFolder& folder, const std::string& id);

/// Removes what is saved of a job that is completed, unless a worker still has its folder: whether it did. Throws
/// Error(kEnvironment).
bool remove_work_files(const DataFolder& folder, const std::string& id);

}  // namespace unianimate::store
