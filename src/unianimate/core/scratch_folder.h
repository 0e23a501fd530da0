// A place for files of the moment.
#pragma once

#include <filesystem>

#include "unianimate/core/output_file.h"

namespace unianimate {

/// A folder in the system's place for temporary files, removed with all it holds; where the process is killed, by the
/// next one.
class ScratchFolder {
 public:
  /// Throws Error(kEnvironment) where it cannot be made.
  ScratchFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return place_.temporary(); }

 private:
  OutputPath place_;
};

}  // namespace unianimate
