// Making the videos a command asks for, one after another with the models loaded once.
#pragma once

#include <functional>
#include <vector>

#include "unianimate/cli/reporter.h"
#include "unianimate/pipeline/model_files.h"

namespace unianimate::cli {

/// Throws Error(kUsage) or Error(kInput) for a request out of range and for pictures that cannot be used; looks at no
/// model.
void check_jobs(const std::vector<VideoJob>& jobs);

struct JobOptions {
  pipeline::ModelFiles files;
  pipeline::RuntimeOptions runtime;
  bool dry_run = false;
};

/// Throws what writing the job's video would throw for its output; leaves nothing.
void check_job_output(const VideoJob& job);

/// Plans every video before it makes the first one. A dry run ends there, with estimates. `check_models` may refuse the
/// models by their sizes. Throws Error of every kind; videos finished before stay.
void run_jobs(std::vector<VideoJob> jobs, const JobOptions& options,
              const std::function<void(const pipeline::ModelConfigs&)>& check_models, Reporter& reporter);

}  // namespace unianimate::cli
