// Where the queue lies.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "unianimate/fields/archive.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/queue/queue_place.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::cli {

/// The environment variable that has what --queue has: arguments of a process can be read by every user of the machine,
/// its environment cannot.
constexpr const char* kQueueVariable = "UNIANIMATE_QUEUE";

struct QueueArguments {
  std::filesystem::path data;        ///< empty: store::default_data_folder()
  std::optional<std::string> queue;  ///< none: kQueueVariable; empty: the file in the data folder
};

void visit(fields::Archive& archive, QueueArguments& arguments);

/// Its absolute path, whether it is there or not. Throws Error(kUsage) where nothing says it.
std::filesystem::path data_root(const QueueArguments& arguments);

/// Throws Error(kUsage) where nothing says it, or for a URL that cannot be read.
queue::QueuePlace queue_place(const QueueArguments& arguments);

/// Throws Error(kUsage), Error(kEnvironment).
store::DataFolder open_data_folder(const QueueArguments& arguments);

/// The models to do jobs with. Throws Error(kUsage) where the database could not keep their path, Error(kInput) where
/// there are none. `given`: --models.
std::filesystem::path usable_models(const std::string& given);

/// From now on nobody else may read what this process makes.
void keep_to_owner();

/// Throws as JobQueue, and Error(kUsage) where the queue goes with another data folder.
queue::JobQueue open_queue(const store::DataFolder& folder, const queue::QueuePlace& place);

}  // namespace unianimate::cli
