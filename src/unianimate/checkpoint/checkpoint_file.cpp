#include "unianimate/checkpoint/checkpoint_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace unianimate::checkpoint {

namespace {

constexpr std::size_t kMostKept = std::size_t{256} << 20;

}  // namespace

CheckpointFile::CheckpointFile(const std::filesystem::path& path) : name_(path.string()) {
  // O_NONBLOCK so that a named pipe without a writer is refused below instead of waited for.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) throw refusal("the file cannot be opened: {}", std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  size_ = static_cast<std::size_t>(regular ? status.st_size : 0);
  if (size_ > 0) return;
  ::close(descriptor_);
  if (!regular) throw refusal("a checkpoint is expected, and this is not a regular file");
  throw refusal("the file is empty; fetch it again");
}

CheckpointFile::CheckpointFile(std::string name, std::string content)
    : name_(std::move(name)), content_(std::move(content)), size_(content_.size()) {}

CheckpointFile::~CheckpointFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void CheckpointFile::read(std::size_t begin, std::span<char> into) const {
  if (descriptor_ < 0) {
    std::ranges::copy(std::string_view(content_).substr(begin, into.size()), into.begin());
    return;
  }
  std::size_t done = 0;
  while (done < into.size()) {
    const ::ssize_t read =
        ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<::off_t>(begin + done));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) {
      throw Error(ErrorKind::kEnvironment, "{}: the file cannot be read at byte {}: {}", printable(name_), begin + done,
                  std::strerror(errno));
    }
    if (read == 0) {
      throw refusal(
          "the file had {} bytes when it was opened and ends at byte {} now: something has cut it meanwhile; wait "
          "until it is whole, or fetch it again",
          size_, begin + done);
    }
    done += static_cast<std::size_t>(read);
  }
}

std::string_view CheckpointFile::keep(std::size_t begin, std::size_t size) const {
  if (descriptor_ < 0) return std::string_view(content_).substr(begin, size);
  if (size > kMostKept - kept_bytes_) {
    throw refusal("the description of its tensors takes more than {} MiB; the file is damaged or hostile",
                  kMostKept >> 20);
  }
  std::string& bytes = kept_.emplace_back(size, '\0');
  read(begin, bytes);
  kept_bytes_ += size;
  return bytes;
}

Error CheckpointFile::refusal_with(std::string_view reason) const {
  return {ErrorKind::kInput, "{}: {}", printable(name_), reason};
}

}  // namespace unianimate::checkpoint
