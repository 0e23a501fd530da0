// What may be replaced: the one rule for every place that the program writes to.
//
// A name that the user gave is replaced, unless it is one of the inputs. A name that the program chose is replaced only
// where what stands there carries this program's mark; else the next free name is taken.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "unianimate/core/progress.h"
#include "unianimate/core/written_mark.h"

namespace unianimate {

/// The files and folders that some work is made from, known by what they are on disk, however their paths are spelled.
class Inputs {
 public:
  /// What is not there, or an empty path, is passed over.
  void add(const std::filesystem::path& path);
  /// The folder and the files directly in it.
  void add_folder(const std::filesystem::path& folder);

  /// Whether `path` is one of them, through links of either kind or another spelling.
  [[nodiscard]] bool contain(const std::filesystem::path& path) const;
  /// Whether one of them lies directly in `folder`.
  [[nodiscard]] bool lie_in(const std::filesystem::path& folder) const;

  /// For an output that the user named. Throws Error(kUsage) where it is one of them, or a folder in which one lies.
  void refuse(const std::filesystem::path& output) const;

 private:
  /// Device and inode.
  using Identity = std::pair<std::uint64_t, std::uint64_t>;

  std::map<Identity, std::filesystem::path> files_;
  std::map<Identity, std::filesystem::path> folders_;  ///< in which they lie, with one that does
};

/// "videos/dance", "-job" -> "videos/dance-job"; a name that would be too long for the file system is cut and told from
/// others by a checksum.
std::filesystem::path beside(const std::filesystem::path& path, std::string_view ending);

using MayReplace = std::function<bool(const std::filesystem::path&)>;

/// For a file whose name the program chose: `wanted` or else, before its suffix, "wanted-2", "wanted-3", …: the first
/// at which nothing stands, or what carries a mark that begins with `mark` and is no input.
std::filesystem::path own_place(const std::filesystem::path& wanted, std::string_view mark = kMark,
                                const Inputs& inputs = {});

/// The same, telling where it is another name than `wanted`.
std::filesystem::path own_place(const std::filesystem::path& wanted, std::string_view mark, const Inputs& inputs,
                                Progress& progress);

/// For a folder whose name the program chose: `wanted`, "wanted-2", "wanted-3", …: the first at which nothing stands or
/// `may_replace` says yes.
std::filesystem::path own_folder(const std::filesystem::path& wanted, const MayReplace& may_replace);

/// Likewise, of a folder that is added to: only what is no folder is in the way.
std::filesystem::path shared_folder(const std::filesystem::path& wanted);

/// Tells where something is written instead of `wanted`; says nothing where it is written there.
void tell_place(const std::filesystem::path& wanted, const std::filesystem::path& chosen, Progress& progress);

}  // namespace unianimate
