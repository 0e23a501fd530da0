#include "unianimate/core/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "unianimate/core/error.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

fs::path temporary_beside(const fs::path& path) {
  return path.parent_path() /
         fmt::format(".{}.{}.partial{}", path.stem().string(), ::getpid(), path.extension().string());
}

void sync_to_disk(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) {
    throw Error(ErrorKind::kEnvironment, "{} could not be written to disk: {}", path.string(), std::strerror(reason));
  }
}

}  // namespace

OutputPath::OutputPath(fs::path final_path) : final_(std::move(final_path)), temporary_(temporary_beside(final_)) {
  const fs::path parent = final_.has_parent_path() ? final_.parent_path() : fs::path(".");
  std::error_code ignored;
  if (!fs::is_directory(parent, ignored)) {
    throw Error(ErrorKind::kEnvironment, "the folder {} for {} does not exist; create it or choose another output",
                parent.string(), final_.filename().string());
  }
  fs::remove_all(temporary_, ignored);
  // Permissions do not tell: root has all of them in /proc, too.
  constexpr mode_t kMode = 0600;
  const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (descriptor < 0) {
    throw Error(ErrorKind::kEnvironment, "the folder {} cannot be written to ({}); choose another output",
                parent.string(), std::strerror(errno));
  }
  ::close(descriptor);
  ::unlink(temporary_.c_str());
}

OutputPath::~OutputPath() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void OutputPath::commit() {
  sync_to_disk(temporary_);
  std::error_code problem;
  fs::rename(temporary_, final_, problem);
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "{} could not be renamed to {}: {}", temporary_.string(), final_.string(),
                problem.message());
  }
  committed_ = true;
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

void write_file_atomically(const fs::path& path, std::string_view content) {
  OutputPath output(path);
  std::ofstream file(output.temporary(), std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) {
    throw Error(ErrorKind::kEnvironment, "{} could not be written: {}", path.string(), std::strerror(errno));
  }
  output.commit();
}

}  // namespace unianimate
