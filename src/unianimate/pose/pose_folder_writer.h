// The published tool's folder of pose pictures: ref_pose.jpg and 0000.jpg, 0001.jpg, …
#pragma once

#include <cstddef>
#include <filesystem>

#include "unianimate/core/output_file.h"
#include "unianimate/media/image.h"

namespace unianimate::pose {

/// Nothing else is in the folder, because the published program takes every file in it for a pose. It appears when it
/// is complete and replaces one that this class made earlier.
class PoseFolderWriter {
 public:
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
  void write(const std::string& name, const Image& picture) const;

  std::filesystem::path folder_;
  OutputPath output_;
  int digits_;
};

}  // namespace unianimate::pose
