// A file's bytes in the address space, read only, paged in as they are touched.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "unianimate/core/error.h"

namespace unianimate::checkpoint {

/// The file must not be cut shorter by others while it is mapped.
class MappedFile {
 public:
  /// Throws Error(kInput) for anything but a readable, non-empty regular file.
  explicit MappedFile(const std::filesystem::path& path);
  /// The same interface over bytes in memory; `name` stands for the path in messages.
  MappedFile(std::string name, std::string content);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Gives the resident pages that lie wholly inside [begin, begin + size) back to the system; they are read again
  /// when touched again.
  void drop(std::size_t begin, std::size_t size) const noexcept;

  /// Error(kInput) whose message starts with the file's name.
  template <typename... Args>
  [[nodiscard]] Error refusal(fmt::format_string<Args...> format, Args&&... args) const {
    return refusal_with(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  [[nodiscard]] Error refusal_with(std::string_view reason) const;

  std::string name_;
  std::string content_;
  void* mapping_ = nullptr;
  std::string_view bytes_;
};

}  // namespace unianimate::checkpoint
