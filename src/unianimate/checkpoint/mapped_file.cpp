#include "unianimate/checkpoint/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace unianimate::checkpoint {

MappedFile::MappedFile(const std::filesystem::path& path) : name_(path.string()) {
  // O_NONBLOCK so that a named pipe without a writer is refused below instead of waited for.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw refusal("the file cannot be opened: {}", std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  const auto size = static_cast<std::size_t>(regular ? status.st_size : 0);
  void* const mapping = size > 0 ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0) : MAP_FAILED;
  const int reason = errno;
  ::close(descriptor);
  if (!regular) throw refusal("a checkpoint is expected, and this is not a regular file");
  if (size == 0) throw refusal("the file is empty; fetch it again");
  if (mapping == MAP_FAILED) throw refusal("the file cannot be mapped into memory: {}", std::strerror(reason));
  mapping_ = mapping;
  bytes_ = {static_cast<const char*>(mapping), size};
}

MappedFile::MappedFile(std::string name, std::string content)
    : name_(std::move(name)), content_(std::move(content)), bytes_(content_) {}

MappedFile::~MappedFile() {
  if (mapping_ != nullptr) ::munmap(mapping_, bytes_.size());
}

void MappedFile::drop(std::size_t begin, std::size_t size) const noexcept {
  if (mapping_ == nullptr) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = (begin + page - 1) / page * page;
  const std::size_t end = begin + size;
  const std::size_t last = end == bytes_.size() ? end : end / page * page;
  if (first < last) ::madvise(static_cast<char*>(mapping_) + first, last - first, MADV_DONTNEED);
}

Error MappedFile::refusal_with(std::string_view reason) const {
  return {ErrorKind::kInput, "{}: {}", printable(name_), reason};
}

}  // namespace unianimate::checkpoint
