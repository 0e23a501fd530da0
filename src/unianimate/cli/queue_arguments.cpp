#include "unianimate/cli/queue_arguments.h"

#include <sys/stat.h>

#include <cstdlib>

#include "unianimate/core/error.h"
#include "unianimate/server/store/shared_folder.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/model_library.h"

namespace unianimate::cli {

void visit(fields::Archive& archive, QueueArguments& arguments) {
  constexpr auto kGroup = fields::group("Queue");
  archive("data", arguments.data, fields::type("DIR"), kGroup,
          "Folder of the queue and its files (default: $XDG_DATA_HOME/unianimate, or ~/.local/share/unianimate)");
  archive("queue", arguments.queue, fields::type("URL"), kGroup,
          "Database of the queue where several machines share it, such as postgresql://user@host/database; --data is "
          "then a folder that they share (default: $UNIANIMATE_QUEUE, which may hold a password, else a file in the "
          "folder of --data)");
}

std::filesystem::path data_root(const QueueArguments& arguments) {
  return std::filesystem::absolute(arguments.data.empty() ? store::default_data_folder() : arguments.data);
}

queue::QueuePlace queue_place(const QueueArguments& arguments) {
  const char* const given = std::getenv(kQueueVariable);
  queue::QueuePlace place{data_root(arguments) / store::kDatabaseName,
                          arguments.queue.value_or(given == nullptr ? "" : given)};
  // So that a URL is refused before anything is done.
  queue::place_name(place);
  return place;
}

store::DataFolder open_data_folder(const QueueArguments& arguments) {
  return store::DataFolder(data_root(arguments));
}

std::filesystem::path usable_models(const std::string& given) {
  std::filesystem::path models = studio::models_to_animate_with(given);
  const std::string whole = std::filesystem::absolute(models).string();
  if (!queue::is_fit(whole)) {
    throw Error(ErrorKind::kUsage,
                "the folder of the models, {}, has a name that is not UTF-8, which the queue's database cannot keep; "
                "rename it, or give another with --models",
                printable(whole));
  }
  studio::require_models(models);
  return models;
}

void keep_to_owner() {
  ::umask(S_IRWXG | S_IRWXO);
}

queue::JobQueue open_queue(const store::DataFolder& folder, const queue::QueuePlace& place) {
  if (!place.is_shared()) store::require_own_queue(folder);
  queue::JobQueue queue(queue::open_database(place));
  if (place.is_shared()) store::keep_together(folder, queue);
  return queue;
}

}  // namespace unianimate::cli
