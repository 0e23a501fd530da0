// unianimate run: everything a published configuration asks for.
#include <CLI/CLI.hpp>

#include "unianimate/cli/interruption.h"
#include "unianimate/cli/job_arguments.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/process_environment.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/cli/session.h"
#include "unianimate/cli/video_jobs.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/pipeline/published_config.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

struct RunArguments {
  std::string config;
  std::string output_folder = "outputs";
  std::string background;
  pipeline::ConfigOptions options;
  bool result_only = false;
  bool skip_existing = false;
  JobKeeping keeping;
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

/// For each file whether it is there, as the first process sees it.
std::vector<bool> which_exist(const std::vector<VideoJob>& jobs, distributed::ProcessGroup& group) {
  const at::Tensor there = at::zeros({static_cast<std::int64_t>(jobs.size())}, at::kByte);
  std::error_code ignored;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    there[static_cast<std::int64_t>(i)] = fs::exists(jobs[i].output, ignored) ? 1 : 0;
  }
  group.broadcast({there});
  const auto* first = there.data_ptr<std::uint8_t>();
  return std::vector<bool>(first, first + there.numel());
}

std::vector<VideoJob> list_jobs(const RunArguments& arguments, const pipeline::PublishedConfig& config,
                                distributed::ProcessGroup& group, Reporter& reporter) {
  std::vector<VideoJob> all;
  for (pipeline::ConfiguredAnimation& animation : pipeline::list_animations(config)) {
    VideoJob job{std::move(animation.request), fs::path(arguments.output_folder) / animation.file_name,
                 config.frames_per_second, arguments.runtime.threads};
    if (arguments.result_only) job.request.comparison = false;
    job.request.background = parse_background(arguments.background);
    all.push_back(std::move(job));
  }
  if (!arguments.skip_existing) return all;
  const std::vector<bool> there = which_exist(all, group);
  std::vector<VideoJob> jobs;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (there[i]) {
      reporter.note(fmt::format("{} is there already and is skipped", all[i].output.string()));
    } else {
      jobs.push_back(std::move(all[i]));
    }
  }
  return jobs;
}

// A dry run tries the nearest folder that exists instead of making the one asked for.
void prepare_output_folder(const fs::path& folder, const JobOptions& options, std::vector<VideoJob>& jobs,
                           Reporter& reporter) {
  std::error_code ignored;
  // Of a file in its place making the folder says so, and changes nothing.
  if (!options.dry_run || (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored))) make_folder(folder);
  Inputs inputs;
  add_inputs(jobs, options.files, options.runtime, inputs);
  for (VideoJob& job : jobs) {
    job.output = own_place(job.output, kMark, inputs, reporter);
    VideoJob tried = job;
    if (options.dry_run) tried.output = existing_folder(folder) / job.output.filename();
    check_job_output(tried, inputs);
  }
}

family::ModelFiles model_files(const RunArguments& arguments, const pipeline::PublishedConfig& config) {
  const family::ModelFiles& files = config.files;
  const bool names_none = files.unet.empty() && files.clip.empty() && files.autoencoder.empty();
  if (names_none || !arguments.runtime.models.empty()) {
    return family::find_model_files(models_folder(arguments.runtime.models));
  }
  const auto require = [&](const fs::path& file, const char* key) {
    if (file.empty()) {
      throw Error(ErrorKind::kUsage, "{} lacks {}; add it, or give the folder of the models with --models",
                  printable(arguments.config), key);
    }
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
      throw Error(ErrorKind::kInput,
                  "there is no {} ({} of {}); put the published checkpoint there, or give the folder of the models "
                  "with --models, or the folder where relative paths begin with --root{}",
                  printable(file.string()), key, printable(arguments.config), path_hint(file));
    }
  };
  require(files.unet, "test_model");
  require(files.clip, "embedder.pretrained");
  require(files.autoencoder, "auto_encoder.pretrained");
  return files;
}

void run(const RunArguments& arguments, Session& session) {
  restart_with_tuned_environment(session.arguments);
  if (is_run_by_copies(arguments.processes, session)) return;
  make_reporter_of_rank(arguments.runtime.json, arguments.runtime.quiet, session);
  catch_interruptions();
  check_job_options(*arguments.command, arguments.keeping);

  JobOptions options;
  options.runtime = prepare_runtime(arguments.runtime);
  options.dry_run = arguments.runtime.dry_run;
  options.keeping = arguments.keeping;
  const auto group = join_processes(options.runtime);
  options.group = group.get();
  const pipeline::PublishedConfig config = pipeline::read_published_config(arguments.config, arguments.options);
  for (const std::string& warning : config.warnings) session.reporter->note(warning);
  std::vector<VideoJob> jobs = list_jobs(arguments, config, *group, *session.reporter);
  if (jobs.empty()) return;
  check_jobs(jobs);
  options.files = model_files(arguments, config);
  if (group->rank() == 0) prepare_output_folder(arguments.output_folder, options, jobs, *session.reporter);
  run_jobs(
      jobs, options, [&](const family::ModelConfigs& actual) { pipeline::check_expected_sizes(config, actual); },
      *session.reporter);
}

}  // namespace

void add_run_command(CLI::App& app, Session& session) {
  const auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "Make all videos of a published configuration file");
  arguments->command = command;
  command->add_option("config", arguments->config, "Configuration such as UniAnimate_infer.yaml")
      ->type_name("CONFIG.yaml")
      ->required();
  command->add_option("--output-dir", arguments->output_folder, "Folder for the videos, made where missing")
      ->capture_default_str()
      ->type_name("DIR");
  command
      ->add_option("--root", arguments->options.root, "Where relative paths of the configuration begin (default: here)")
      ->type_name("DIR");
  command->add_option("--set", arguments->options.overrides, "Another value for a key; may be given more than once")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_background_option(*command, arguments->background);
  command->add_flag("--result-only", arguments->result_only, "The plain result instead of three columns");
  command->add_flag("--skip-existing", arguments->skip_existing, "Leave out videos that are there already");
  add_job_options(*command, arguments->keeping);
  add_processes_option(*command, arguments->processes);
  add_runtime_options(*command, arguments->runtime);
  command->footer(kExamples);
  command->callback([arguments, &session] { session.command = [arguments, &session] { run(*arguments, session); }; });
}

}  // namespace unianimate::cli
