#include "unianimate/cli/queue_arguments.h"

#include <sys/stat.h>

namespace unianimate::cli {

void visit(fields::Archive& archive, QueueArguments& arguments) {
  archive("data", arguments.data, fields::type("DIR"), fields::group("Queue"),
          "Folder of the queue and its files (default: $XDG_DATA_HOME/unianimate, or ~/.local/share/unianimate)");
}

std::filesystem::path data_root(const QueueArguments& arguments) {
  return arguments.data.empty() ? store::default_data_folder() : arguments.data;
}

store::DataFolder open_data_folder(const QueueArguments& arguments) {
  return store::DataFolder(data_root(arguments));
}

void keep_to_owner() {
  ::umask(S_IRWXG | S_IRWXO);
}

queue::JobQueue open_queue(const store::DataFolder& folder) {
  return queue::JobQueue(queue::open_sqlite(folder.database()));
}

}  // namespace unianimate::cli
