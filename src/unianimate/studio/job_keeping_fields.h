// The fields of how a video is kept while it is made.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/studio/job_keeping.h"

namespace unianimate::studio {

inline void visit(fields::Archive& archive, JobKeeping& keeping) {
  constexpr const char* kGroup = "Resuming and previews";
  constexpr fields::Range kSteps = fields::range(0, 1000);
  archive("folder", keeping.folder, fields::option("--job"), fields::type("DIR"), fields::group(kGroup),
          "Folder of the job (default: OUTPUT-job, removed when all is done)");
  archive("save_every", keeping.save_every, kSteps, fields::group(kGroup),
          "Save the latents after every so many steps, for 'unianimate resume'; 0: keep no job folder");
  archive("keep", keeping.keep, fields::option("--keep-job"), fields::group(kGroup),
          "Keep the job folder when the video is done, for 'resume --redo'");
  archive("preview_every", keeping.preview_every, kSteps, fields::group(kGroup),
          "Show what the video is going to be after every so many steps, in OUTPUT-preview.mp4; 0: never");
  archive("preview_decoded", keeping.preview_decoded, fields::needs("--preview-every"), fields::group(kGroup),
          "Previews by the autoencoder, as fine as the video but slow, instead of the small decoder or a linear map");
}

}  // namespace unianimate::studio
