#include "unianimate/pipeline/clip_tensor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"

namespace unianimate::pipeline {

namespace {

/// A mapping of a new file of so many bytes that has lost its name.
void* map_nameless_file(const std::filesystem::path& folder, std::int64_t bytes) {
  std::string name = (folder / "unianimate-latents-XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  int reason = errno;
  void* mapping = MAP_FAILED;
  if (descriptor >= 0) {
    ::unlink(name.c_str());
    // Room is taken now: a full disk would otherwise end the process when a page is written.
    reason = ::posix_fallocate(descriptor, 0, bytes);
    if (reason == 0) {
      mapping = ::mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
      reason = errno;
    }
    ::close(descriptor);
  }
  if (mapping != MAP_FAILED) return mapping;
  throw Error(ErrorKind::kEnvironment,
              "the latents take {}, and no file of that size can be made in {} ({}); make room there or give a larger "
              "--latent-memory",
              format_bytes(bytes), printable(folder.string()), std::strerror(reason));
}

}  // namespace

ClipTensor::ClipTensor(at::IntArrayRef shape, std::int64_t memory_limit, const std::filesystem::path& folder)
    : bytes_(c10::multiply_integers(shape) * static_cast<std::int64_t>(sizeof(float))) {
  if (bytes_ <= memory_limit) {
    tensor_ = at::zeros(shape, at::kFloat);
  } else {
    mapping_ = map_nameless_file(folder, bytes_);
    tensor_ = at::from_blob(mapping_, shape, at::kFloat);
  }
}

ClipTensor::~ClipTensor() {
  tensor_.reset();
  if (mapping_ != nullptr) ::munmap(mapping_, static_cast<std::size_t>(bytes_));
}

void ClipTensor::release() const noexcept {
  if (mapping_ != nullptr) ::madvise(mapping_, static_cast<std::size_t>(bytes_), MADV_DONTNEED);
}

}  // namespace unianimate::pipeline
