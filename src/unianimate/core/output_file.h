// Files and folders that are either whole or not there: written beside their final name, renamed into place when
// finished.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace unianimate {

enum class OutputKind { kFile, kFolder };

/// A file or folder under construction. Until commit() nothing stands at the final path and what stood there before is
/// untouched; without commit() the destructor removes the unfinished part. What a process leaves that is killed in
/// between is removed by the next OutputPath of the same name; that of a living process, which holds a lock on it, is
/// not.
class OutputPath {
 public:
  /// Makes temporary(), empty, and removes what ended processes left. Throws Error(kUsage) for a name that is too long,
  /// Error(kEnvironment) where the parent folder is missing or cannot be written to.
  explicit OutputPath(std::filesystem::path final_path, OutputKind kind = OutputKind::kFile);
  ~OutputPath();
  OutputPath(const OutputPath&) = delete;
  OutputPath& operator=(const OutputPath&) = delete;

  /// Where to write meanwhile: the same folder and suffix, another name.
  [[nodiscard]] const std::filesystem::path& temporary() const noexcept { return temporary_; }
  [[nodiscard]] const std::filesystem::path& final_path() const noexcept { return final_; }

  /// Waits until what is written is on the disk, of a folder the files directly in it. Throws Error(kEnvironment).
  void sync() const;

  /// Syncs what is finished, puts it at the final path and syncs the folder above. A folder that stands there is
  /// exchanged at once, where the file system can do that, and then removed with all it holds. Throws
  /// Error(kEnvironment) where that fails.
  void commit();

 private:
  void make_temporary(const std::filesystem::path& parent);
  void put_in_place();

  OutputKind kind_;
  std::filesystem::path final_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;  ///< of temporary_, locked
  bool committed_ = false;
};

/// Of a name as OutputPath::temporary() has: that of the finished file, unless it was cut for its length. Nothing for
/// any other name.
std::optional<std::string> finished_name(const std::string& temporary_name);

/// STEM and ending joined; where that is longer than names in `parent` may be, the stem is cut and told from others by
/// a checksum.
std::string fitting_name(const std::filesystem::path& parent, const std::string& stem, std::string_view ending);

/// "videos/dance.mp4" -> "videos", "dance.mp4" -> "."
std::filesystem::path folder_of(const std::filesystem::path& path);

/// "frames/" -> "frames"
std::filesystem::path without_trailing_separator(const std::filesystem::path& folder);

/// The nearest folder above or at `path` that exists.
std::filesystem::path existing_folder(const std::filesystem::path& path);

/// Makes it with all folders above it; one that is there already is fine. Throws Error(kEnvironment).
void make_folder(const std::filesystem::path& folder);

/// Waits until the names in the folder are on the disk. Throws Error(kEnvironment).
void sync_folder(const std::filesystem::path& folder);

/// Throws Error(kEnvironment) where the disk of `place`, which need not exist yet, has clearly less room than `bytes`
/// for `what`.
void require_room(const std::filesystem::path& place, std::uintmax_t bytes, std::string_view what);

/// Makes or replaces a file, piece by piece: for places that nobody looks at yet. Throws Error(kEnvironment).
void write_file(const std::filesystem::path& path, std::string_view content);

/// Writes a whole small file atomically. Throws Error(kEnvironment) naming the path and the system's reason.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace unianimate
