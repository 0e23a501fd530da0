#include "unianimate/server/store/store_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>

#include "unianimate/core/error.h"

namespace unianimate::store {

namespace {

constexpr std::size_t kLongestHolder = 512;

/// Written into the file, for whoever waits in vain.
std::string this_holder() {
  std::array<char, kLongestHolder / 2> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return fmt::format("process {} of {}", ::getpid(), host.data());
}

std::string holder_in(int descriptor) {
  std::array<char, kLongestHolder> text{};
  const ssize_t bytes = ::pread(descriptor, text.data(), text.size(), 0);
  return bytes > 0 ? std::string(text.data(), static_cast<std::size_t>(bytes)) : "a process that is not known";
}

}  // namespace

StoreLock::StoreLock(const DataFolder& folder, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kBetweenTries{20};
  const std::filesystem::path file = folder.root() / "assets" / kStoreLockName;
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kEnvironment, "{} cannot be opened: {}", printable(file.string()), std::strerror(errno));
  }
  const auto end = std::chrono::steady_clock::now() + patience;
  // Where the file system knows no locks there is none to wait for.
  while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
    if (std::chrono::steady_clock::now() >= end) {
      const std::string holder = holder_in(descriptor_);
      ::close(descriptor_);
      throw StoreBusy(
          "{} has been held by {} for {} s and more, so that no file can be added or removed: try again, and end "
          "that process if it hangs",
          printable(file.string()), printable(holder),
          std::chrono::duration_cast<std::chrono::seconds>(patience).count());
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
  const std::string holder = this_holder();
  // It helps whoever reads it, and nothing depends on it: the disk may be full.
  if (::ftruncate(descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, holder.data(), holder.size(), 0);
  }
}

StoreLock::~StoreLock() {
  ::close(descriptor_);
}

}  // namespace unianimate::store
