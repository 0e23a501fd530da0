#include "unianimate/core/scratch_folder.h"

#include "unianimate/core/error.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

/// Nothing ever stands there; what is used is named after it.
fs::path scratch_name() {
  std::error_code problem;
  const fs::path folder = fs::temp_directory_path(problem);
  if (!problem) return folder / "unianimate";
  throw Error(ErrorKind::kEnvironment, "there is no folder for temporary files ({}); set TMPDIR to another place",
              problem.message());
}

}  // namespace

ScratchFolder::ScratchFolder() : place_(scratch_name(), OutputKind::kFolder) {}

}  // namespace unianimate
