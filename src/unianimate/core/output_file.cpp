#include "unianimate/core/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>

#include "unianimate/core/error.h"
#include "unianimate/core/error_causes.h"
#include "unianimate/core/memory.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPartial = ".partial";
/// Of names for one output at a time.
constexpr int kMostTries = 98;

std::size_t longest_name(const fs::path& folder) {
  constexpr long kUsual = 255;
  const long longest = ::pathconf(existing_folder(folder).c_str(), _PC_NAME_MAX);
  return static_cast<std::size_t>(longest > 0 ? longest : kUsual);
}

/// What stands before and behind the number of a temporary name.
struct TemporaryName {
  std::string beginning;
  std::string ending;
};

TemporaryName temporary_name(const fs::path& final_path) {
  constexpr std::size_t kLongestSuffix = 16;
  constexpr std::string_view kRoom = "2147483647-99";
  std::string suffix = final_path.extension().string();
  if (suffix.size() > kLongestSuffix) suffix.clear();
  const std::string name = final_path.filename().string();
  const std::string ending = fmt::format("{}{}", kPartial, suffix);
  const std::string stem = fmt::format(".{}", name.substr(0, name.size() - suffix.size()));
  const std::string whole = fitting_name(folder_of(final_path), stem, fmt::format(".{}{}", kRoom, ending));
  return {whole.substr(0, whole.size() - kRoom.size() - ending.size()), ending};
}

/// "123" or "123-2"
bool is_number(std::string_view text) {
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const std::size_t dash = text.find('-');
  return digits(text.substr(0, dash)) && (dash == std::string_view::npos || digits(text.substr(dash + 1)));
}

bool is_of(const TemporaryName& name, std::string_view file) {
  return file.size() > name.beginning.size() + name.ending.size() && file.starts_with(name.beginning) &&
         file.ends_with(name.ending) &&
         is_number(file.substr(name.beginning.size(), file.size() - name.beginning.size() - name.ending.size()));
}

/// Whether the open file still has its name: another process that took it for left behind may have removed it.
bool is_there(int descriptor) {
  struct ::stat status {};
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

/// Unless a process that lives holds it, which its lock tells.
void remove_left_behind(const fs::path& temporary) {
  constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  int descriptor = ::open(temporary.c_str(), O_RDWR | kFlags);
  if (descriptor < 0 && errno == EISDIR) descriptor = ::open(temporary.c_str(), O_RDONLY | kFlags);
  if (descriptor < 0) return;
  std::error_code ignored;
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) fs::remove_all(temporary, ignored);
  ::close(descriptor);
}

void remove_left_behind(const fs::path& parent, const TemporaryName& name) {
  std::error_code problem;
  for (fs::directory_iterator entry(parent, problem), end; !problem && entry != end; entry.increment(problem)) {
    if (is_of(name, entry->path().filename().string())) remove_left_behind(entry->path());
  }
}

void require_synced(bool synced, const fs::path& path) {
  if (synced) return;
  throw Error(ErrorKind::kEnvironment, "{} could not be written to disk: {}", printable(path.string()),
              std::strerror(errno));
}

void sync_to_disk(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require_synced(descriptor >= 0, path);
  const bool synced = ::fsync(descriptor) == 0;
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  require_synced(synced, path);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() == fs::file_type::directory;
}

}  // namespace

OutputPath::OutputPath(fs::path final_path, OutputKind kind) : kind_(kind), final_(std::move(final_path)) {
  const fs::path parent = folder_of(final_);
  const std::string name = final_.filename().string();
  std::error_code ignored;
  if (!fs::is_directory(parent, ignored)) {
    throw Error(ErrorKind::kEnvironment, "the folder {} for {} does not exist; create it or choose another output",
                printable(parent.string()), printable(name));
  }
  if (name.size() > longest_name(parent)) {
    throw Error(ErrorKind::kUsage, "the name {} has {} bytes, and names in {} may have {}; choose a shorter one",
                printable(name), name.size(), printable(parent.string()), longest_name(parent));
  }
  if (kind_ == OutputKind::kFile && fs::exists(final_, ignored) && !fs::is_regular_file(final_, ignored)) {
    throw Error(ErrorKind::kUsage, "{} is no file, so none can be written there; choose another output",
                printable(final_.string()));
  }
  // What a link leads to is replaced, not the link.
  if (kind_ == OutputKind::kFolder && fs::is_directory(final_, ignored)) final_ = fs::canonical(final_, ignored);
  make_temporary(folder_of(final_));
}

void OutputPath::make_temporary(const fs::path& parent) {
  const TemporaryName name = temporary_name(final_);
  remove_left_behind(parent, name);
  constexpr mode_t kFileMode = 0666;
  constexpr mode_t kFolderMode = 0777;
  for (int number = 1; number <= kMostTries; ++number) {
    // Another machine or container that shares the folder may have a process of the same number.
    const std::string tag = number == 1 ? fmt::format("{}", ::getpid()) : fmt::format("{}-{}", ::getpid(), number);
    temporary_ = final_.parent_path() / (name.beginning + tag + name.ending);
    if (kind_ == OutputKind::kFile) {
      descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
    } else if (::mkdir(temporary_.c_str(), kFolderMode) == 0) {
      descriptor_ = ::open(temporary_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (descriptor_ >= 0) {
      // Where the file system knows no locks nobody takes it for left behind either.
      const bool taken = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
      if (!taken && is_there(descriptor_)) return;
      ::close(std::exchange(descriptor_, -1));
    } else if (errno != EEXIST) {
      break;
    }
  }
  throw Error(ErrorKind::kEnvironment, "the folder {} cannot be written to ({}); choose another output",
              printable(parent.string()), std::strerror(errno));
}

OutputPath::~OutputPath() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
  ::close(descriptor_);
}

void OutputPath::sync() const {
  if (kind_ == OutputKind::kFolder) {
    std::error_code problem;
    for (fs::directory_iterator entry(temporary_, problem), end; !problem && entry != end; entry.increment(problem)) {
      sync_to_disk(entry->path());
    }
  }
  require_synced(::fsync(descriptor_) == 0, temporary_);
}

void OutputPath::commit() {
  sync();
  put_in_place();
  committed_ = true;
  sync_folder(folder_of(final_));
}

void OutputPath::put_in_place() {
  std::error_code problem;
  if (kind_ == OutputKind::kFolder && is_folder(final_)) {
    fs::permissions(temporary_, fs::status(final_, problem).permissions(), problem);
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, final_.c_str(), RENAME_EXCHANGE) == 0) {
      fs::remove_all(temporary_, problem);
      return;
    }
    // Some file systems cannot exchange.
    const TemporaryName name = temporary_name(final_);
    const fs::path old =
        final_.parent_path() / fmt::format("{}{}-{}{}", name.beginning, ::getpid(), kMostTries + 1, name.ending);
    fs::rename(final_, old, problem);
    if (!problem) fs::rename(temporary_, final_, problem);
    std::error_code ignored;
    if (problem) {
      fs::rename(old, final_, ignored);
    } else {
      fs::remove_all(old, ignored);
    }
  } else {
    fs::rename(temporary_, final_, problem);
  }
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "{} could not be renamed to {}: {}", printable(temporary_.string()),
                printable(final_.string()), problem.message());
  }
}

std::optional<std::string> finished_name(const std::string& temporary_name) {
  const fs::path path(temporary_name);
  std::string suffix = path.extension().string();
  std::string rest = path.stem().string();
  if (suffix == kPartial) {
    suffix.clear();
  } else if (rest.ends_with(kPartial)) {
    rest.resize(rest.size() - kPartial.size());
  } else {
    return std::nullopt;
  }
  const std::size_t dot = rest.rfind('.');
  if (dot == std::string::npos || dot < 2 || rest.front() != '.' || !is_number(rest.substr(dot + 1))) {
    return std::nullopt;
  }
  return rest.substr(1, dot - 1) + suffix;
}

std::string fitting_name(const fs::path& parent, const std::string& stem, std::string_view ending) {
  const std::size_t longest = longest_name(parent);
  if (stem.size() + ending.size() <= longest) return stem + std::string(ending);
  const std::string checksum = fmt::format("~{:016x}", std::hash<std::string>()(stem));
  std::size_t kept = longest - std::min(longest, checksum.size() + ending.size());
  // Not in the middle of a character of UTF-8.
  constexpr unsigned kContinuationMask = 0xC0;
  constexpr unsigned kContinuation = 0x80;
  while (kept > 0 && (static_cast<unsigned char>(stem[kept]) & kContinuationMask) == kContinuation) --kept;
  return stem.substr(0, kept) + checksum + std::string(ending);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

fs::path without_trailing_separator(const fs::path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

fs::path existing_folder(const fs::path& path) {
  std::error_code ignored;
  fs::path folder = fs::absolute(path, ignored);
  while (folder.has_relative_path() && !fs::is_directory(folder, ignored)) folder = folder.parent_path();
  return folder;
}

void make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (!problem) return;
  throw Error(ErrorKind::kEnvironment, "the folder {} cannot be made: {}", printable(folder.string()),
              problem.message());
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Some folders may be written to but not listed.
  if (descriptor < 0) return;
  // Some file systems have nothing to sync here.
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL;
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  require_synced(synced, folder);
}

void require_room(const fs::path& place, std::uintmax_t bytes, std::string_view what) {
  std::error_code problem;
  const fs::space_info space = fs::space(existing_folder(place), problem);
  // Some file systems do not know their size.
  if (problem || space.capacity == 0 || space.available >= bytes) return;
  throw DiskFull("the disk of {} has {} left, but {} needs {}; make room or choose another place",
                 printable(place.string()), format_bytes(static_cast<std::int64_t>(space.available)), what,
                 format_bytes(static_cast<std::int64_t>(bytes)));
}

void write_file(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (file) return;
  throw Error(ErrorKind::kEnvironment, "{} could not be written: {}", printable(path.string()), std::strerror(errno));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  OutputPath output(path);
  write_file(output.temporary(), content);
  output.commit();
}

}  // namespace unianimate
