#include "unianimate/server/store/shared_folder.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "unianimate/core/error.h"
#include "unianimate/server/queue/random_id.h"

namespace unianimate::store {

namespace fs = std::filesystem;

namespace {

fs::path mark_file(const DataFolder& folder) {
  return folder.root() / "queue";
}

/// What tells the folder from others that go by the same path on other machines; empty where it has none yet.
std::string mark_of(const fs::path& file) {
  std::string mark;
  std::ifstream(file) >> mark;
  return mark;
}

/// Unless there is one. It appears whole, or others would read half of it.
void make_mark(const DataFolder& folder, const fs::path& file) {
  const fs::path written = folder.incoming() / queue::random_id('d');
  std::ofstream mark(written);
  mark << written.filename().string() << '\n';
  mark.close();
  std::error_code problem;
  fs::create_hard_link(written, file, problem);
  std::error_code ignored;
  fs::remove(written, ignored);
  // Half a mark would be no other folder's, and none at all every one's.
  if (mark && !mark_of(file).empty()) return;
  if (!problem) fs::remove(file, ignored);
  throw Error(ErrorKind::kEnvironment, "{} cannot be made: {}", printable(file.string()),
              problem ? problem.message() : "the disk takes no more");
}

void require_no_jobs(const DataFolder& folder) {
  std::error_code ignored;
  if (!fs::exists(folder.database(), ignored)) return;
  std::int64_t jobs = 0;
  for (const queue::JobCount& count : queue::JobQueue(queue::open_sqlite(folder.database())).counts()) {
    jobs += count.jobs;
  }
  if (jobs == 0) return;
  throw Error(ErrorKind::kUsage,
              "the data folder {} has a queue of its own with {} job{} in {}, which the database of --queue does not "
              "know: give --data another folder, or delete them first ('unianimate queue delete' with --queue '')",
              printable(folder.root().string()), jobs, jobs == 1 ? "" : "s", kDatabaseName);
}

/// Whoever tied the folder may be about to tell the queue.
std::optional<std::string> setting_soon(queue::JobQueue& queue, const char* name) {
  constexpr std::chrono::milliseconds kBetweenLooks{20};
  constexpr int kLooks = 100;
  std::optional<std::string> value = queue.setting(name);
  for (int i = 0; i < kLooks && !value; ++i) {
    std::this_thread::sleep_for(kBetweenLooks);
    value = queue.setting(name);
  }
  return value;
}

}  // namespace

void keep_together(const DataFolder& folder, queue::JobQueue& queue) {
  constexpr const char* kSetting = "data_folder";
  const fs::path normal = folder.root().lexically_normal();
  const std::string path = (normal.has_filename() ? normal : normal.parent_path()).string();
  const fs::path file = mark_file(folder);
  const bool is_tied = !mark_of(file).empty();
  const auto known = is_tied ? setting_soon(queue, kSetting) : queue.setting(kSetting);
  if (!known && is_tied) {
    throw Error(ErrorKind::kUsage,
                "the data folder {} goes with another queue, which its file 'queue' says, and the database of --queue "
                "is new: give the URL of the other, or --data another folder; where the other is gone for good, remove "
                "the file",
                printable(path));
  }
  if (!known) {
    require_no_jobs(folder);
    make_mark(folder, file);
  }
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

void require_own_queue(const DataFolder& folder) {
  if (mark_of(mark_file(folder)).empty()) return;
  throw Error(
      ErrorKind::kUsage,
      "the data folder {} goes with a queue in a database, which its file 'queue' says: give its URL by --queue "
      "or $UNIANIMATE_QUEUE, or --data another folder; where that database is gone for good, remove the file",
      printable(folder.root().string()));
}

}  // namespace unianimate::store
