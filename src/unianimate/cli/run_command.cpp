// unianimate run: everything a published configuration asks for.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/job_arguments.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/cli/unused_options.h"
#include "unianimate/studio/published_videos.h"

namespace unianimate::cli {

namespace {

struct RunArguments {
  std::string config;
  std::string output_folder = "outputs";
  std::string background;
  studio::ConfigOptions options;
  bool result_only = false;
  bool skip_existing = false;
  studio::JobKeeping keeping;
  int processes = 1;
  RuntimeArguments runtime;
  const CLI::App* command = nullptr;
};

constexpr const char* kExamples = R"(Examples:
  unianimate run configs/UniAnimate_infer.yaml
  unianimate run configs/UniAnimate_infer_long.yaml --output-dir videos --set seed=3 --set ddim_timesteps=25
  unianimate run configs/UniAnimate_infer.yaml --dry-run
  unianimate run configs/UniAnimate_infer.yaml --processes 2

The videos are named as the published program names them and have its three columns: reference, pose, result. A video
of the same name is replaced where this program made it; with --skip-existing a run that was stopped goes on where it was.)";

void run(const RunArguments& arguments, Session& session) {
  studio::refuse_unused_keeping(arguments.keeping, refusal_of(*arguments.command));
  family::RuntimeOptions runtime = prepare_runtime(arguments.runtime);
  const auto group = join_processes(runtime);
  studio::PublishedOrder order{arguments.config, arguments.options, arguments.output_folder};
  order.background = parse_background(arguments.background);
  order.result_only = arguments.result_only;
  order.skip_existing = arguments.skip_existing;
  order.models = arguments.runtime.models;
  order.threads = arguments.runtime.threads;
  order.keeping = arguments.keeping;
  if (arguments.runtime.dry_run) {
    studio::plan_published(order, runtime, *group, *session.reporter);
  } else {
    studio::make_published(order, runtime, *group, *session.reporter);
  }
}

}  // namespace

CommandWork add_run_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<RunArguments>();
  arguments->command = &command;
  command.add_option("config", arguments->config, "Configuration such as UniAnimate_infer.yaml")
      ->type_name("CONFIG.yaml")
      ->required();
  command.add_option("--output-dir", arguments->output_folder, "Folder for the videos, made where missing")
      ->capture_default_str()
      ->type_name("DIR");
  command
      .add_option("--root", arguments->options.root, "Where relative paths of the configuration begin (default: here)")
      ->type_name("DIR");
  command.add_option("--set", arguments->options.overrides, "Another value for a key; may be given more than once")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_background_option(command, arguments->background);
  command.add_flag("--result-only", arguments->result_only, "The plain result instead of three columns");
  command.add_flag("--skip-existing", arguments->skip_existing, "Leave out videos that are there already");
  add_job_options(command, arguments->keeping);
  add_processes_option(command, arguments->processes);
  add_runtime_options(command, arguments->runtime);
  command.footer(kExamples);
  return {[arguments, &session] { run(*arguments, session); }, &arguments->runtime.json, &arguments->runtime.quiet,
          &arguments->processes};
}

}  // namespace unianimate::cli
