// The published tool's folder of pose pictures: ref_pose.jpg and 0000.jpg, 0001.jpg, …
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "unianimate/core/output_folder.h"
#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::pose {

/// Nothing else is in the folder, because the published program takes every file in it for a pose. It appears when it
/// is complete and replaces one that this class made earlier.
class PoseFolderWriter {
 public:
  /// Whether nothing stands at `folder`, or what this class made earlier and may replace.
  static bool may_replace(const std::filesystem::path& folder);

  /// `count`: of the poses, which decides how many digits their names have, see name_digits().
  /// Throws Error(kUsage) where the folder exists and holds anything that this class did not write, Error(kEnvironment)
  /// where it cannot be made.
  explicit PoseFolderWriter(const std::filesystem::path& folder, std::size_t count = 0);

  /// May be called by several threads at once, each index by one of them. Throw Error(kEnvironment).
  void write_pose(std::size_t index, const Image& picture) const;
  void write_reference_pose(const Image& picture) const;
  /// Call once, at the end.
  void finish();

 private:
  void write(std::string_view name, const Image& picture) const;

  std::filesystem::path folder_;
  OutputFolder output_;
  int digits_;
};

/// The pose folder of poses that are aligned already, drawn by `threads` of them, 0: one for each core. Phase: "draw
/// poses". Throws as PoseFolderWriter does, and Error(kCancelled).
void draw_pose_folder(const AlignedPoses& poses, const std::filesystem::path& folder, int threads, Progress& progress);

}  // namespace unianimate::pose
