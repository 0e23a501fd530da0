#include "unianimate/studio/resumption.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/families/families.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/pipeline/segments.h"
#include "unianimate/studio/job_checks.h"
#include "unianimate/studio/job_folder.h"
#include "unianimate/studio/machine.h"
#include "unianimate/studio/video_production.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

family::RuntimeOptions runtime_of(const JobRecord& record, const Compute& compute) {
  family::RuntimeOptions runtime;
  runtime.compute = compute;
  runtime.memory_budget = record.memory_budget;
  runtime.latent_memory = record.latent_memory;
  runtime.loras = record.loras;
  runtime.allow_nonfinite = record.allow_nonfinite;
  return runtime;
}

/// What is out of reason in a job is the fault of its files, not of whoever resumes it.
pipeline::AnimatePlan checked_plan(const JobRecord& record, const family::Family& models, bool writes) {
  try {
    if (writes) check_job_output(record.job, {});
    return pipeline::plan_animation(record.job.request, models, record.preview, sink_pixel_bytes(record.job));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage) throw;
    throw Error(ErrorKind::kInput, "the job cannot go on: {}", error.what());
  }
}

/// Makes the job forget one of its segments.
void redo_segment(const ResumeOptions& options, const pipeline::AnimatePlan& plan, JobFolder& job,
                  JobObserver& observer) {
  if (options.redo > plan.segments) {
    throw Error(ErrorKind::kUsage, "--redo must be between 1 and {}, the segments of this video, found {}",
                plan.segments, options.redo);
  }
  const auto segment = static_cast<std::size_t>(options.redo - 1);
  const std::uint64_t before = job.seed(segment).value_or(job.record().job.request.seed);
  const std::uint64_t seed = options.seed.value_or(before + 1);
  job.redo(segment, seed);
  observer.note(fmt::format("segment {} of {} is made again with seed {}", options.redo, plan.segments, seed));
}

}  // namespace

Compute prepare_machine(const JobRecord& record) {
  Compute compute =
      prepare_machine(MachineOptions{parse_device(record.device), parse_dtype(record.dtype), record.job.threads});
  if (!compute.int8 || record.rest_dtype.empty()) return compute;
  compute.dtype = parse_dtype(record.rest_dtype) == DTypeChoice::kBFloat16 ? at::kBFloat16 : at::kFloat;
  compute.reason = fmt::format("multiplying in 8 bits on this CPU and computing the rest in {}, as the job was begun",
                               record.rest_dtype);
  return compute;
}

FinishedVideo resume(const fs::path& folder, const JobRecord& record, const Compute& compute,
                     const ResumeOptions& options, distributed::ProcessGroup* group, JobObserver& outer) {
  NotesOnce observer(outer);
  const bool writes = is_first(group);
  std::unique_ptr<JobFolder> job = writes ? JobFolder::open(folder) : nullptr;
  const std::unique_ptr<family::Family> models = families::open_family(record.files, runtime_of(record, compute));
  Inputs inputs;
  for (const auto& [path, hash] : record.inputs) inputs.add(path);
  inputs.refuse(record.job.output);
  const pipeline::AnimatePlan plan = checked_plan(record, *models, writes);
  if (writes) {
    check_video(record.job, plan, writes);
    const std::int64_t missing = job_bytes(record.job.request, plan) - summarize_job(job->folder()).bytes;
    require_room(job->folder(), static_cast<std::uintmax_t>(std::max<std::int64_t>(missing, 0)), "the rest of its job");
  }
  require_same_poses(record, plan);
  if (writes && options.redo > 0) redo_segment(options, plan, *job, observer);
  observer.note(compute.reason);
  const bool keep = record.keep || options.keep || options.redo > 0;
  return produce({record.job, plan, std::move(job), record.preview, record.preview_file, keep, group}, *models,
                 observer);
}

}  // namespace unianimate::studio
