// Files that are either whole or not there: written beside their final name, renamed into place when finished.
#pragma once

#include <filesystem>
#include <string_view>

namespace unianimate {

/// A file under construction. Until commit() nothing stands at the final
/// path and what stood there before is untouched; without commit() the destructor removes the unfinished part.
class OutputPath {
 public:
  /// Makes and removes a file for a try, and removes what an ended process left at temporary(). Throws
  /// Error(kEnvironment) where the parent folder is missing or cannot be written to.
  explicit OutputPath(std::filesystem::path final_path);
  ~OutputPath();
  OutputPath(const OutputPath&) = delete;
  OutputPath& operator=(const OutputPath&) = delete;

  /// Where to write meanwhile: the same folder and suffix, another name.
  [[nodiscard]] const std::filesystem::path& temporary() const noexcept { return temporary_; }
  [[nodiscard]] const std::filesystem::path& final_path() const noexcept { return final_; }

  /// Syncs the finished file to disk and renames it to the final path. Throws Error(kEnvironment) where that fails.
  void commit();

 private:
  std::filesystem::path final_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

/// "frames/" -> "frames"
std::filesystem::path without_trailing_separator(const std::filesystem::path& folder);

/// The nearest folder above or at `path` that exists.
std::filesystem::path existing_folder(const std::filesystem::path& path);

/// Makes it with all folders above it; one that is there already is fine. Throws Error(kEnvironment).
void make_folder(const std::filesystem::path& folder);

/// Writes a whole small file atomically. Throws Error(kEnvironment) naming the path and the system's reason.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace unianimate
