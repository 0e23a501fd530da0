#include "unianimate/server/store/data_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/store/content_type.h"

namespace unianimate::store {

namespace fs = std::filesystem;

namespace {

/// How folders begin whose job is removed.
constexpr const char* kGone = ".gone-";

void remove_whole(const fs::path& folder) {
  std::error_code problem;
  fs::remove_all(folder, problem);
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "{} cannot be removed: {}", printable(folder.string()), problem.message());
  }
}

/// Where remove_rest() finds it; none where there is no such folder.
std::optional<fs::path> set_aside(const fs::path& folder, const fs::path& jobs) {
  const fs::path gone = jobs / (kGone + queue::random_id('j'));
  std::error_code problem;
  fs::rename(folder, gone, problem);
  if (!problem) return gone;
  if (problem == std::errc::no_such_file_or_directory) return std::nullopt;
  throw Error(ErrorKind::kEnvironment, "{} cannot be removed: {}", printable(folder.string()), problem.message());
}

}  // namespace

DataFolder::DataFolder(fs::path root) : root_(std::move(root)) {
  std::error_code ignored;
  const bool is_new = !fs::exists(root_, ignored);
  make_folder(root_);
  root_ = fs::absolute(root_);
  if (is_new && ::chmod(root_.c_str(), S_IRWXU) != 0) {
    throw Error(ErrorKind::kEnvironment, "the data folder {} cannot be kept to its owner", printable(root_.string()));
  }
  make_folder(incoming());
  make_folder(root_ / "assets");
  make_folder(root_ / "jobs");
}

fs::path DataFolder::asset(std::string_view sha256, std::string_view type) const {
  constexpr std::size_t kDigits = 64;
  const bool is_hash = sha256.size() == kDigits && sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_hash) throw Error(ErrorKind::kUsage, "{} is no SHA-256", printable(sha256));
  return root_ / "assets" / sha256.substr(0, 2) / fmt::format("{}{}", sha256, ending_of(type));
}

fs::path DataFolder::job(const std::string& id) const {
  if (!queue::is_id('j', id)) throw Error(ErrorKind::kUsage, "{} is no id of a job", printable(id));
  return root_ / "jobs" / id;
}

fs::path DataFolder::result(const std::string& id, std::int64_t attempt, std::string_view ending) const {
  return job(id) / fmt::format("result-{}{}", attempt, ending);
}

std::vector<std::string> DataFolder::jobs() const {
  std::vector<std::string> ids;
  std::error_code problem;
  for (fs::directory_iterator entry(root_ / "jobs", problem), end; !problem && entry != end; entry.increment(problem)) {
    std::string name = entry->path().filename().string();
    if (queue::is_id('j', name)) ids.push_back(std::move(name));
  }
  return ids;
}

void DataFolder::remove_job(const std::string& id) const {
  if (const auto aside = set_aside(job(id), root_ / "jobs")) remove_aside(*aside);
}

void DataFolder::remove_rest() const {
  std::vector<fs::path> rest;
  std::error_code problem;
  for (fs::directory_iterator entry(root_ / "jobs", problem), end; !problem && entry != end; entry.increment(problem)) {
    if (entry->path().filename().string().starts_with(kGone)) rest.push_back(entry->path());
  }
  for (const fs::path& folder : rest) remove_whole(folder);
}

void DataFolder::remove_work(const std::string& id) const {
  remove_whole(work(id));
}

std::optional<fs::path> DataFolder::set_work_aside(const std::string& id) const {
  return set_aside(work(id), root_ / "jobs");
}

void DataFolder::put_work_back(const fs::path& aside, const std::string& id) const {
  std::error_code problem;
  fs::rename(aside, work(id), problem);
  if (!problem) return;
  throw Error(ErrorKind::kEnvironment, "{} cannot be put back: {}", printable(work(id).string()), problem.message());
}

void DataFolder::remove_aside(const fs::path& aside) {
  std::error_code later;
  fs::remove_all(aside, later);
}

fs::path default_data_folder() {
  const auto variable = [](const char* name) -> std::string {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty()) return fs::path(data) / "unianimate";
  if (const std::string home = variable("HOME"); !home.empty()) return fs::path(home) / ".local/share/unianimate";
  throw Error(ErrorKind::kUsage, "--data is missing: neither XDG_DATA_HOME nor HOME says where the data may lie");
}

}  // namespace unianimate::store
