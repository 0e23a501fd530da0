// A folder of files that are replaced together, so that those of an earlier output and of a new one are never mixed.
#pragma once

#include <filesystem>
#include <functional>

#include "unianimate/core/output_file.h"

namespace unianimate {

/// The files of an output under construction, in temporary(). commit() puts them into the folder in place of those of
/// an earlier output, which `is_earlier` tells by their paths, and leaves every other file there alone.
///
/// Where the folder holds nothing else, all change at once. Where it holds other files, is a mount point, the current
/// folder or one above it, or lies in a folder that cannot be written to, the earlier files are removed first and the
/// new ones moved in one by one; while that lasts the folder holds a file UNFINISHED.txt that says so.
class OutputFolder {
 public:
  using IsEarlier = std::function<bool(const std::filesystem::path&)>;

  /// Whether the file or folder is what this class itself leaves when the process is killed.
  static bool is_left_behind(const std::filesystem::path& path);

  /// Throws as OutputPath does.
  OutputFolder(const std::filesystem::path& folder, IsEarlier is_earlier);

  /// Holds the new files and nothing else.
  [[nodiscard]] const std::filesystem::path& temporary() const noexcept { return output_.temporary(); }

  /// Throws Error(kEnvironment).
  void commit();

 private:
  void move_in();

  std::filesystem::path folder_;
  IsEarlier is_earlier_;
  bool in_place_;
  OutputPath output_;
};

}  // namespace unianimate
