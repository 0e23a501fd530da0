// The options that say how a video is kept while it is made, and looked at.
#pragma once

#include "unianimate/studio/job_keeping.h"

namespace CLI {
class App;
}

namespace unianimate::cli {

/// --save-every, --keep-job, --preview-every, --preview-decoded.
void add_job_options(CLI::App& command, studio::JobKeeping& keeping);

/// --job, for commands that make one video.
void add_job_folder_option(CLI::App& command, studio::JobKeeping& keeping);

}  // namespace unianimate::cli
