#include "unianimate/core/output_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/output_rule.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

constexpr const char* kUnfinishedFile = "UNFINISHED.txt";
/// Of the files inside the folder while they wait there.
constexpr const char* kWaiting = "frames";

void require(const std::error_code& problem, const fs::path& path, std::string_view action) {
  if (!problem) return;
  throw Error(ErrorKind::kEnvironment, "{} could not be {}: {}", printable(path.string()), action, problem.message());
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    entries.push_back(entry->path());
  }
  require(problem, folder, "listed");
  return entries;
}

bool is_unfinished_file(const fs::path& path) {
  return path.filename().string().starts_with("UNFINISHED") && written_mark(path) == kUnfinishedMark;
}

bool is_mount_point(const fs::path& folder) {
  struct ::statx status {};
  return ::statx(AT_FDCWD, folder.c_str(), 0, STATX_TYPE, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool is_current_or_above(const fs::path& folder) {
  std::error_code ignored;
  fs::path current = fs::current_path(ignored);
  while (!fs::equivalent(current, folder, ignored)) {
    if (!current.has_relative_path()) return false;
    current = current.parent_path();
  }
  return true;
}

/// Whether the folder must stay while what is in it changes.
bool must_stay(const fs::path& folder, const OutputFolder::IsEarlier& is_earlier) {
  std::error_code ignored;
  const fs::path place = fs::canonical(folder, ignored);
  if (is_mount_point(place) || is_current_or_above(place)) return true;
  if (::access(place.parent_path().c_str(), W_OK | X_OK) != 0) return true;
  return !std::ranges::all_of(entries_of(place), [&](const fs::path& entry) {
    return is_earlier(entry) || OutputFolder::is_left_behind(entry);
  });
}

bool stays(const fs::path& folder, const OutputFolder::IsEarlier& is_earlier) {
  std::error_code problem;
  const fs::file_status status = fs::status(folder, problem);
  if (status.type() == fs::file_type::none) require(problem, folder, "looked at");
  return fs::is_directory(status) && must_stay(folder, is_earlier);
}

}  // namespace

bool OutputFolder::is_left_behind(const fs::path& path) {
  return is_unfinished_file(path) || finished_name(path.filename().string()) == kWaiting;
}

OutputFolder::OutputFolder(const fs::path& folder, IsEarlier is_earlier)
    : folder_(without_trailing_separator(folder)),
      is_earlier_(std::move(is_earlier)),
      in_place_(stays(folder_, is_earlier_)),
      output_(in_place_ ? folder_ / kWaiting : folder_, OutputKind::kFolder) {}

void OutputFolder::commit() {
  // Other files may have come meanwhile.
  if (in_place_ || stays(folder_, is_earlier_)) {
    move_in();
  } else {
    output_.commit();
  }
}

void OutputFolder::move_in() {
  output_.sync();
  for (const fs::path& entry : entries_of(output_.temporary())) {
    const fs::path place = folder_ / entry.filename();
    std::error_code ignored;
    if (fs::symlink_status(place, ignored).type() == fs::file_type::not_found || is_earlier_(place)) continue;
    throw Error(ErrorKind::kEnvironment, "{} has come there meanwhile and would be replaced; move it away",
                printable(place.string()));
  }
  const fs::path unfinished = own_place(folder_ / kUnfinishedFile, kUnfinishedMark);
  write_file_atomically(unfinished, std::string(kUnfinishedMark) +
                                        "\nThe program was stopped while it replaced the files here. Run the same "
                                        "command again, or go on with the job.\n");
  std::error_code problem;
  for (const fs::path& entry : entries_of(folder_)) {
    if (!is_earlier_(entry)) continue;
    fs::remove(entry, problem);
    require(problem, entry, "removed");
  }
  for (const fs::path& entry : entries_of(output_.temporary())) {
    fs::rename(entry, folder_ / entry.filename(), problem);
    require(problem, folder_ / entry.filename(), "replaced");
  }
  sync_folder(folder_);
  for (const fs::path& entry : entries_of(folder_)) {
    if (is_unfinished_file(entry)) fs::remove(entry, problem);
  }
}

}  // namespace unianimate
