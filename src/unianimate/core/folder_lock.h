// One writer for each folder.
#pragma once

#include <filesystem>
#include <string_view>

namespace unianimate {

/// Held by one process at a time, until it goes or the process ends in whatever way. Leaves the file ".lock" behind.
/// Where the file system knows no locks there is none to wait for.
class FolderLock {
 public:
  /// Throws Error(kUsage) where another process holds it, "another WRITER is writing to FOLDER; …", Error(kEnvironment)
  /// where the file cannot be opened.
  FolderLock(const std::filesystem::path& folder, std::string_view writer);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace unianimate
