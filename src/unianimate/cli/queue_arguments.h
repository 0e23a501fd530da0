// Where the queue lies.
#pragma once

#include <filesystem>

#include "unianimate/fields/archive.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::cli {

struct QueueArguments {
  std::filesystem::path data;  ///< empty: store::default_data_folder()
};

void visit(fields::Archive& archive, QueueArguments& arguments);

/// The folder, which need not be there. Throws Error(kUsage).
std::filesystem::path data_root(const QueueArguments& arguments);

/// Throws Error(kUsage), Error(kEnvironment).
store::DataFolder open_data_folder(const QueueArguments& arguments);

/// From now on nobody else may read what this process makes.
void keep_to_owner();

/// Throws as JobQueue.
queue::JobQueue open_queue(const store::DataFolder& folder);

}  // namespace unianimate::cli
