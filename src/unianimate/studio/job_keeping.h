// How a video is kept while it is made, and looked at.
#pragma once

#include <cstdint>
#include <filesystem>

#include "unianimate/studio/refuse_given.h"

namespace unianimate::studio {

struct JobKeeping {
  std::filesystem::path folder;    ///< empty: beside the output
  std::int64_t save_every = 1;     ///< steps between savings of the latents; 0: no job folder
  bool keep = false;               ///< also when the video is done
  std::int64_t preview_every = 0;  ///< steps between previews; 0: none
  bool preview_decoded = false;    ///< by the autoencoder's own decoder
  bool begins_anew = false;        ///< what `folder` holds of a job that is not the very same goes, instead of refusing
};

/// Throws Error(kUsage) for what was given and says nothing, because no job is kept or no preview made.
void refuse_unused_options(const JobKeeping& keeping, const RefuseGiven& refuse_given);

}  // namespace unianimate::studio
