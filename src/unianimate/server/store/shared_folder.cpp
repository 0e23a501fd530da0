#include "unianimate/server/store/shared_folder.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "unianimate/core/error.h"
#include "unianimate/server/queue/random_id.h"

namespace unianimate::store {

namespace fs = std::filesystem;

namespace {

/// What tells the folder from others that go by the same path on other machines; empty where it has none yet.
std::string mark_of(const fs::path& file) {
  std::string mark;
  std::ifstream(file) >> mark;
  return mark;
}

/// Unless there is one. It appears whole, or others would read half of it.
void make_mark(const DataFolder& folder, const fs::path& file) {
  const fs::path written = folder.incoming() / queue::random_id('d');
  std::ofstream(written) << written.filename().string() << '\n';
  std::error_code problem;
  fs::create_hard_link(written, file, problem);
  std::error_code ignored;
  fs::remove(written, ignored);
  if (problem && mark_of(file).empty()) {
    throw Error(ErrorKind::kEnvironment, "{} cannot be made: {}", printable(file.string()), problem.message());
  }
}

}  // namespace

void keep_together(const DataFolder& folder, queue::JobQueue& queue) {
  constexpr const char* kSetting = "data_folder";
  const fs::path normal = folder.root().lexically_normal();
  const std::string path = (normal.has_filename() ? normal : normal.parent_path()).string();
  const fs::path file = folder.root() / "queue";
  const auto known = queue.setting(kSetting);
  if (!known) make_mark(folder, file);
  const std::string mine = mark_of(file) + " " + path;
  const std::string its = known ? *known : queue.setting_or(kSetting, mine);
  if (its == mine) return;
  const std::string its_path = its.substr(its.find(' ') + 1);
  throw Error(
      ErrorKind::kUsage,
      "the queue goes with the data folder {}, and --data is {}{}: all services, workers and commands of a queue "
      "need one folder that their machines share, by one path",
      printable(its_path), printable(path), its_path == path ? " of another file system" : "");
}

}  // namespace unianimate::store
