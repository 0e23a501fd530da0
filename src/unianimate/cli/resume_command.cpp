// unianimate resume: go on with a video that was stopped.
#include <CLI/CLI.hpp>

#include "unianimate/cli/interruption.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/process_environment.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/cli/session.h"
#include "unianimate/cli/video_jobs.h"
#include "unianimate/core/error.h"
#include "unianimate/family/pose_folder.h"
#include "unianimate/pipeline/job_folder.h"
#include "unianimate/pipeline/segments.h"

namespace unianimate::cli {

namespace {

struct ResumeArguments {
  std::string job;
  std::int64_t redo = 0;
  std::string seed;
  int processes = 1;
  bool keep = false;
  bool json = false;
  bool quiet = false;
};

constexpr const char* kExamples = R"(Examples:
  unianimate resume dance-job
  unianimate resume dance-job --redo 3
  unianimate resume dance-job --redo 3 --seed 12

Goes on where the job was stopped or killed and makes the very video it would have made. 'unianimate job list' shows
the jobs there are. A chained video (--chain) that was made with --keep-job can have one of its segments made again from
another seed; its neighbours stay as they are and fade into it.)";

/// Makes the job forget one of its segments.
void redo_segment(const ResumeArguments& arguments, pipeline::JobFolder& job, Reporter& reporter) {
  const family::AnimateRequest& request = job.record().job.request;
  const auto poses = static_cast<std::int64_t>(family::open_pose_folder(request.poses).poses.size());
  const auto frames =
      static_cast<std::int64_t>(family::select_poses(poses, request.frame_interval, request.max_frames).indices.size());
  const auto segments = static_cast<std::int64_t>(pipeline::video_segments(frames, request).size());
  if (arguments.redo > segments) {
    throw Error(ErrorKind::kUsage, "--redo must be between 1 and {}, the segments of this video, found {}", segments,
                arguments.redo);
  }
  const auto segment = static_cast<std::size_t>(arguments.redo - 1);
  const std::uint64_t seed =
      arguments.seed.empty() ? job.seed(segment).value_or(request.seed) + 1 : parse_seed(arguments.seed);
  job.redo(segment, seed);
  reporter.note(fmt::format("segment {} of {} is made again with seed {}", arguments.redo, segments, seed));
}

void resume(const ResumeArguments& arguments, Session& session) {
  restart_with_tuned_environment(session.arguments);
  if (is_run_by_copies(arguments.processes, session)) return;
  make_reporter_of_rank(arguments.json, arguments.quiet, session);
  catch_interruptions();
  const pipeline::JobRecord record = pipeline::summarize_job(arguments.job).record;

  RuntimeArguments machine;
  machine.device = record.device;
  machine.dtype = record.dtype;
  machine.threads = record.job.threads;
  ResumeOptions options;
  options.runtime = prepare_runtime(machine);
  options.runtime.memory_budget = record.memory_budget;
  options.runtime.latent_memory = record.latent_memory;
  options.runtime.loras = record.loras;
  options.runtime.allow_nonfinite = record.allow_nonfinite;
  options.keep = record.keep || arguments.keep || arguments.redo > 0;
  const auto group = join_processes(options.runtime);
  options.group = group.get();

  std::unique_ptr<pipeline::JobFolder> job;
  if (group->rank() == 0) {
    job = pipeline::JobFolder::open(arguments.job);
    if (arguments.redo > 0) {
      options.when_checked = [&, &kept = *job] { redo_segment(arguments, kept, *session.reporter); };
    }
  }
  resume_job(std::move(job), record, options, *session.reporter);
}

}  // namespace

void add_resume_command(CLI::App& app, Session& session) {
  const auto arguments = std::make_shared<ResumeArguments>();
  CLI::App* command = app.add_subcommand("resume", "Go on with a video that was stopped");
  command->add_option("job", arguments->job, "Job folder")->type_name("JOB")->required();
  CLI::Option* redo = command->add_option("--redo", arguments->redo, "Number of a segment to make again, from 1")
                          ->type_name("N")
                          ->check(CLI::PositiveNumber);
  command->add_option("--seed", arguments->seed, "Seed of that segment (default: one more than it had)")
      ->type_name("N")
      ->needs(redo);
  command->add_flag("--keep-job", arguments->keep, "Keep the job folder when the video is done (with --redo it stays)");
  add_processes_option(*command, arguments->processes);
  command->add_flag("--json", arguments->json, "One JSON object a line on stdout: progress, result, error");
  command->add_flag("--quiet", arguments->quiet, "No progress and no notes");
  command->footer(kExamples);
  command->callback(
      [arguments, &session] { session.command = [arguments, &session] { resume(*arguments, session); }; });
}

}  // namespace unianimate::cli
