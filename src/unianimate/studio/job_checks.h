// What is looked at before any long work, and before any model.
#pragma once

#include <filesystem>
#include <span>

#include "unianimate/core/output_rule.h"
#include "unianimate/family/model_files.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/studio/video_job.h"

namespace unianimate::studio {

/// Throws Error(kUsage) or Error(kInput) for a request out of range and for pictures that cannot be used; looks at no
/// model.
void check_jobs(std::span<const VideoJob> jobs);

/// Adds what the videos are made from.
void add_inputs(std::span<const VideoJob> jobs, const family::ModelFiles& files, const family::RuntimeOptions& runtime,
                Inputs& inputs);

/// Throws what writing the job's video would throw for its output, Error(kUsage) where that is one of the inputs;
/// leaves nothing.
void check_job_output(const VideoJob& job, const Inputs& inputs);

/// Throws Error(kUsage) where the output lies in the folder of its job, which may be empty.
void require_outside(const std::filesystem::path& output, const std::filesystem::path& job_folder);

}  // namespace unianimate::studio
