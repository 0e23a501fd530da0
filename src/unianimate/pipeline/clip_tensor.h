// A tensor as long as a clip: in memory while it is small, in a temporary file that the system maps where it is not.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>

namespace unianimate::pipeline {

/// The file has no name, so that nothing is left of it whatever happens to the process.
class ClipTensor {
 public:
  /// Holds 32-bit floats of `shape`, zero at first, on the CPU. Up to `memory_limit` bytes lie in memory, more in a
  /// file in `folder`. Throws Error(kEnvironment) where the file cannot be made so large.
  ClipTensor(at::IntArrayRef shape, std::int64_t memory_limit, const std::filesystem::path& folder);
  ~ClipTensor();
  ClipTensor(const ClipTensor&) = delete;
  ClipTensor& operator=(const ClipTensor&) = delete;

  /// What of a tensor of so many bytes is counted as memory.
  static std::int64_t bytes_in_memory(std::int64_t bytes, std::int64_t memory_limit) {
    return std::min(bytes, memory_limit);
  }

  /// Valid as long as this.
  [[nodiscard]] const at::Tensor& tensor() const { return tensor_; }
  [[nodiscard]] bool in_file() const { return mapping_ != nullptr; }

  /// Gives the resident pages of a file back; what is in them stays and is paged in when it is looked at again.
  void release() const noexcept;

 private:
  void* mapping_ = nullptr;
  std::int64_t bytes_ = 0;
  at::Tensor tensor_;
};

}  // namespace unianimate::pipeline
