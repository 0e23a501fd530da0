// unianimate resume: go on with a video that was stopped.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/studio/job_folder.h"
#include "unianimate/studio/resumption.h"

namespace unianimate::cli {

namespace {

struct ResumeArguments {
  std::filesystem::path job;
  std::int64_t redo = 0;  ///< 0: none
  std::optional<std::uint64_t> seed;
  bool keep = false;
};

void visit(fields::Archive& archive, ResumeArguments& arguments) {
  archive("job", arguments.job, fields::option("job"), fields::type("JOB"), fields::kRequired, "Job folder");
  archive("redo", arguments.redo, fields::at_least(1), fields::kUntoldDefault,
          "Number of a segment to make again, from 1");
  archive("seed", arguments.seed, fields::needs("--redo"), "Seed of that segment (default: one more than it had)");
  archive("keep", arguments.keep, fields::option("--keep-job"),
          "Keep the job folder when the video is done (with --redo it stays)");
}

constexpr const char* kResumeExamples = R"(Examples:
  unianimate resume dance-job
  unianimate resume dance-job --redo 3
  unianimate resume dance-job --redo 3 --seed 12

Goes on where the job was stopped or killed and makes the very video it would have made. 'unianimate job list' shows
the jobs there are. A chained video (--chain) that was made with --keep-job can have one of its segments made again from
another seed; its neighbours stay as they are and fade into it.)";

void resume(const ResumeArguments& arguments, Session& session) {
  const studio::JobRecord record = studio::summarize_job(arguments.job).record;
  family::RuntimeOptions runtime;
  runtime.compute = studio::prepare_machine(record);
  const auto group = join_processes(runtime);
  const studio::ResumeOptions options{arguments.keep, arguments.redo, arguments.seed};
  studio::resume(arguments.job, record, runtime.compute, options, group.get(), *session.reporter);
}

}  // namespace

CommandWork add_resume_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, ResumeArguments());
  options->add(command, ProcessArguments());
  options->add(command, MessageArguments());
  command.footer(kResumeExamples);
  return {[options, &session] { resume(options->taken<ResumeArguments>(), session); }, options};
}

}  // namespace unianimate::cli
