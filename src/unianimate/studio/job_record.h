// What a job folder says about its job: everything needed to go on with it in another process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "unianimate/family/lora.h"
#include "unianimate/family/model_files.h"
#include "unianimate/fields/archive.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/pipeline/preview_options.h"
#include "unianimate/studio/video_job.h"

namespace unianimate::studio {

struct JobRecord {
  VideoJob job;
  family::ModelFiles files;
  std::string device;           ///< "cpu" or "cuda"
  std::string dtype;            ///< "fp32", …
  std::string rest_dtype = {};  ///< of int8, what all else is computed in: "fp32" or "bf16"; else empty
  std::int64_t memory_budget = 0;
  std::int64_t latent_memory = 0;
  std::vector<family::LoraFile> loras;
  bool allow_nonfinite = false;
  std::int64_t save_every = 1;  ///< latents are saved after every so many steps
  bool keep = false;            ///< the folder stays when the video is done
  pipeline::PreviewOptions preview;
  std::filesystem::path preview_file;         ///< a video, replaced with every preview
  std::map<std::string, std::string> inputs;  ///< sampled_hash() of every file the video is made from, by its path
};

void visit(fields::Archive& archive, JobRecord& record);

/// All that the video depends on, with absolute paths and the hashes of all inputs. Throws Error(kInput) where one
/// cannot be read.
JobRecord make_job_record(const VideoJob& job, const pipeline::AnimatePlan& plan, const family::ModelFiles& files,
                          const family::RuntimeOptions& runtime);

/// Throws Error(kInput) naming the first input that is not what it was; `folder` is for the message.
void require_unchanged_inputs(const JobRecord& record, const std::filesystem::path& folder);

/// Throws Error(kInput) where the poses that would be taken now are not those of the job, because some were added.
void require_same_poses(const JobRecord& record, const pipeline::AnimatePlan& plan);

/// Names of the fields in which they differ: "dtype, memory_budget".
std::string differing_fields(const JobRecord& one, const JobRecord& other);

/// As JSON, and back, also from how jobs of before were written. job_record_text() throws Error(kUsage) for a path that
/// JSON cannot hold. read_job_record() throws Error(kInput), naming `file`, for anything that job_record_text() would
/// not have written.
std::string job_record_text(const JobRecord& record);
JobRecord read_job_record(const std::string& text, const std::filesystem::path& file);

}  // namespace unianimate::studio
