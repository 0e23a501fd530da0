// The files that an animation of a procedural person starts from.
#pragma once

#include <filesystem>

#include "unianimate/core/output_file.h"
#include "unianimate/core/progress.h"
#include "unianimate/family/request.h"
#include "unianimate/puppet/clip.h"

namespace unianimate::evaluation {

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

/// Writes the reference picture and the pose folder of `clip` into `folder`, unless an earlier call has done so, and
/// names them in `request`. `from_first_frame`: the reference is the clip's
/// first frame. Throws Error(kEnvironment) where the files cannot be written.
void write_person_inputs(const puppet::Clip& clip, bool from_first_frame, const std::filesystem::path& folder,
                         family::AnimateRequest& request, Progress& progress);

}  // namespace unianimate::evaluation
