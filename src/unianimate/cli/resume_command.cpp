// unianimate resume: go on with a video that was stopped.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/studio/job_folder.h"
#include "unianimate/studio/machine.h"
#include "unianimate/studio/resumption.h"

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

void resume(const ResumeArguments& arguments, Session& session) {
  const studio::JobRecord record = studio::summarize_job(arguments.job).record;
  family::RuntimeOptions runtime;
  runtime.compute = studio::prepare_machine({record.device, record.dtype, record.job.threads});
  const auto group = join_processes(runtime);
  studio::ResumeOptions options;
  options.keep = arguments.keep;
  options.redo = arguments.redo;
  if (!arguments.seed.empty()) options.seed = parse_seed(arguments.seed);
  studio::resume(arguments.job, record, runtime.compute, options, group.get(), *session.reporter);
}

}  // namespace

CommandWork add_resume_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<ResumeArguments>();
  command.add_option("job", arguments->job, "Job folder")->type_name("JOB")->required();
  CLI::Option* redo = command.add_option("--redo", arguments->redo, "Number of a segment to make again, from 1")
                          ->type_name("N")
                          ->check(CLI::PositiveNumber);
  command.add_option("--seed", arguments->seed, "Seed of that segment (default: one more than it had)")
      ->type_name("N")
      ->needs(redo);
  command.add_flag("--keep-job", arguments->keep, "Keep the job folder when the video is done (with --redo it stays)");
  add_processes_option(command, arguments->processes);
  command.add_flag("--json", arguments->json, "One JSON object a line on stdout: progress, result, error");
  command.add_flag("--quiet", arguments->quiet, "No progress and no notes");
  command.footer(kExamples);
  return {[arguments, &session] { resume(*arguments, session); }, &arguments->json, &arguments->quiet,
          &arguments->processes};
}

}  // namespace unianimate::cli
