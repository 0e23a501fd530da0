// Making the videos a command asks for, one after another with the models loaded once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "unianimate/cli/job_keeping.h"
#include "unianimate/cli/reporter.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/pipeline/job_folder.h"

namespace unianimate::cli {

/// Throws Error(kUsage) or Error(kInput) for a request out of range and for pictures that cannot be used; looks at no
/// model.
void check_jobs(const std::vector<VideoJob>& jobs);

struct JobOptions {
  family::ModelFiles files;
  family::RuntimeOptions runtime;
  bool dry_run = false;
  JobKeeping keeping;
  Inputs inputs;                               ///< what the videos are made from besides what the jobs name
  distributed::ProcessGroup* group = nullptr;  ///< processes that share the work; null: this one alone
  std::optional<PlannedMotion> motion;         ///< of a dry run whose poses are still to be taken from it
};

/// Adds what the videos are made from.
void add_inputs(std::span<const VideoJob> jobs, const family::ModelFiles& files, const family::RuntimeOptions& runtime,
                Inputs& inputs);

/// Throws what writing the job's video would throw for its output, Error(kUsage) where that is one of the inputs;
/// leaves nothing.
void check_job_output(const VideoJob& job, const Inputs& inputs);

/// Plans every video before it makes the first one. The processes of a group share each video; the first one alone
/// writes and talks. A dry run ends there, with estimates. `check_models` may refuse the
/// models by their sizes. Throws Error of every kind; videos finished before stay, and so does the job folder of one
/// that is not.
void run_jobs(std::vector<VideoJob> jobs, const JobOptions& options,
              const std::function<void(const family::ModelConfigs&)>& check_models, Reporter& reporter);

/// A job that goes on.
struct ResumeOptions {
  family::RuntimeOptions runtime;
  bool keep = false;
  distributed::ProcessGroup* group = nullptr;
  std::function<void()> when_checked;  ///< what is to happen before the work, once nothing is in its way; may be empty
};

/// Makes the rest of the video of a job. `job` is null in all processes but the first, `record` is the job's in all.
void resume_job(std::unique_ptr<pipeline::JobFolder> job, const pipeline::JobRecord& record,
                const ResumeOptions& options, Reporter& reporter);

}  // namespace unianimate::cli
