#include "unianimate/core/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "unianimate/core/error.h"

namespace unianimate {

FolderLock::FolderLock(const std::filesystem::path& folder, std::string_view writer) {
  const std::filesystem::path file = folder / ".lock";
  constexpr mode_t kMode = 0600;
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kEnvironment, "{} cannot be opened: {}", printable(file.string()), std::strerror(errno));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  ::close(descriptor_);
  throw Error(ErrorKind::kUsage, "another {} is writing to {}; wait for it, or give another folder", writer,
              printable(folder.string()));
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace unianimate
