// unianimate run: everything a published configuration asks for.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/studio/published_order_fields.h"

namespace unianimate::cli {

namespace {

struct RunArguments {
  std::string config;
  std::vector<std::string> overrides;
};

constexpr const char* kRunExamples = R"(Examples:
  unianimate run configs/UniAnimate_infer.yaml
  unianimate run configs/UniAnimate_infer_long.yaml --output-dir videos --set seed=3 --set ddim_timesteps=25
  unianimate run configs/UniAnimate_infer.yaml --dry-run
  unianimate run configs/UniAnimate_infer.yaml --processes 2

The videos are named as the published program names them and have its three columns: reference, pose, result. A video
of the same name is replaced where this program made it; with --skip-existing a run that was stopped goes on where it was.)";

void run(const RunArguments& arguments, const fields::CommandLine& options, Session& session) {
  const auto machine = options.taken<RuntimeArguments>();
  auto order = options.taken<studio::PublishedOrder>();
  order.config = arguments.config;
  order.options.overrides = arguments.overrides;
  order.models = machine.models;
  order.threads = machine.threads;
  studio::refuse_unused_options(
      order.keeping, [&](const fields::Filter& filter, std::string_view when) { options.refuse(filter, when); });
  family::RuntimeOptions runtime = prepare_runtime(machine);
  const auto group = join_processes(runtime);
  if (machine.dry_run) {
    studio::plan_published(order, runtime, *group, *session.reporter);
  } else {
    studio::make_published(order, runtime, *group, *session.reporter);
  }
}

}  // namespace

CommandWork add_run_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<RunArguments>();
  const auto options = std::make_shared<fields::CommandLine>();
  command.add_option("config", arguments->config, "Configuration such as UniAnimate_infer.yaml")
      ->type_name("CONFIG.yaml")
      ->required();
  command.add_option("--set", arguments->overrides, "Another value for a key; may be given more than once")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  // Each video has a job of its own.
  options->add(command, studio::PublishedOrder(), fields::all_but({"folder"}));
  options->add(command, ProcessArguments());
  options->add(command, RuntimeArguments());
  command.footer(kRunExamples);
  return {[arguments, options, &session] { run(*arguments, *options, session); }, options};
}

}  // namespace unianimate::cli
