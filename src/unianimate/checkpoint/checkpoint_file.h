// A file that is read where its parts lie, never mapped: it may become shorter, or its disk may fail, at any time.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "unianimate/core/error.h"

namespace unianimate::checkpoint {

/// Used by one thread at a time.
class CheckpointFile {
 public:
  /// Throws Error(kInput) for anything but a readable, non-empty regular file.
  explicit CheckpointFile(const std::filesystem::path& path);
  /// The same interface over bytes in memory; `name` stands for the path in messages.
  CheckpointFile(std::string name, std::string content);
  ~CheckpointFile();
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// In bytes, as it was when the file was opened.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Fills `into` with the bytes from `begin` on, which must lie inside size(). Throws Error(kInput) where the file has
  /// become shorter, Error(kEnvironment) where the system cannot read it.
  void read(std::size_t begin, std::span<char> into) const;
  /// The bytes [begin, begin + size), in memory for as long as this object lives: for headers and directories, not for
  /// tensors. Throws as read() does, and Error(kInput) for more than 256 MiB in all.
  [[nodiscard]] std::string_view keep(std::size_t begin, std::size_t size) const;

  /// Error(kInput) whose message starts with the file's name.
  template <typename... Args>
  [[nodiscard]] Error refusal(fmt::format_string<Args...> format, Args&&... args) const {
    return refusal_with(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  [[nodiscard]] Error refusal_with(std::string_view reason) const;

  std::string name_;
  std::string content_;
  int descriptor_ = -1;  // none where the bytes are in memory
  std::size_t size_ = 0;
  mutable std::deque<std::string> kept_;
  mutable std::size_t kept_bytes_ = 0;
};

}  // namespace unianimate::checkpoint
