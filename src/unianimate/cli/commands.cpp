#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <string>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/interruption.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/process_environment.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/distributed/group_environment.h"

namespace unianimate::cli {

namespace {

/// The trace would be lost once the work is done.
void require_place_of_its_own(const std::filesystem::path& trace, const fields::CommandLine& options) {
  namespace fs = std::filesystem;
  const auto place_of = [](const fs::path& path) {
    std::error_code ignored;
    const fs::path whole = fs::absolute(without_trailing_separator(path), ignored);
    const fs::path place = fs::weakly_canonical(whole, ignored);
    return ignored ? whole.lexically_normal() : place;
  };
  for (const char* output : {"output", "saved_poses", "folder", "openpose", "comfyui"}) {
    const std::string given = options.given_text(output);
    if (given.empty() || place_of(given) != place_of(trace)) continue;
    throw Error(ErrorKind::kUsage, "--profile and another option both write to {}; give the trace another name",
                printable(trace.string()));
  }
}

/// In the first process, where it is asked for.
void begin_trace(const CommandWork& work, const std::filesystem::path& file, Session& session) {
  if (file.empty() || distributed::read_group_environment().rank > 0) return;
  if (work.options->taken<RuntimeArguments>().dry_run)
    throw Error(ErrorKind::kUsage, "--profile has no effect with --dry-run; leave one out");
  require_place_of_its_own(file, *work.options);
  session.reporter->trace(file);
}

/// Makes ready what the command needs, and runs it, unless copies of the program have done so.
void run(CommandNeeds needs, const CommandWork& work, Session& session) {
  if (needs == CommandNeeds::kNothing) return work.run();
  if (needs >= CommandNeeds::kLibraries) tune_environment(session.arguments);
  if (work.check) work.check();
  const auto messages = work.options->taken<MessageArguments>();
  if (needs == CommandNeeds::kGroup) {
    if (is_run_by_copies(work.options->taken<ProcessArguments>().processes, session)) return;
    make_reporter_of_rank(messages, session);
  } else {
    session.reporter = make_reporter(messages.json, messages.quiet || needs == CommandNeeds::kStopping);
  }
  catch_interruptions();
  begin_trace(work, messages.profile, session);
  work.run();
  session.reporter->finish_trace();
}

/// "evaluate model" -> the command evaluate, and "model"
std::pair<CLI::App*, std::string> place_of(CLI::App& app, const std::string& name) {
  const std::size_t space = name.find(' ');
  if (space == std::string::npos) return {&app, name};
  return {app.get_subcommand(name.substr(0, space)), name.substr(space + 1)};
}

}  // namespace

std::span<const CommandEntry> command_table() {
  using enum CommandNeeds;
  static constexpr std::array kCommands{
      CommandEntry{"animate", "Animate a picture with the motion of a video, or with poses", kGroup,
                   add_animate_command},
      CommandEntry{"align", "Take the poses of a motion and fit them to the person of a picture", kReporter,
                   add_align_command},
      CommandEntry{"run", "Make all videos of a published configuration file", kGroup, add_run_command},
      CommandEntry{"resume", "Go on with a video that was stopped", kGroup, add_resume_command},
      CommandEntry{"job", "Show or remove what is kept of unfinished videos", kNothing, add_job_command},
      CommandEntry{"job list", "The jobs in a folder", kNothing, add_job_list_command},
      CommandEntry{"job show", "What a job is to make, and how far it is", kNothing, add_job_show_command},
      CommandEntry{"job delete", "Remove a job and all it has done", kNothing, add_job_delete_command},
      CommandEntry{"queue", "Videos to make one after another, by workers", kNothing, add_queue_command},
      CommandEntry{"queue add", "Queue what 'animate' would make", kNothing, add_queue_add_command},
      CommandEntry{"queue list", "The jobs of the queue", kNothing, add_queue_list_command},
      CommandEntry{"queue show", "A job of the queue, and how far it is", kNothing, add_queue_show_command},
      CommandEntry{"queue cancel", "Stop a job; what is done is kept", kNothing, add_queue_cancel_command},
      CommandEntry{"queue resume", "Queue a job again that failed or was cancelled", kNothing,
                   add_queue_resume_command},
      CommandEntry{"queue delete", "Remove jobs with all that they have made", kNothing, add_queue_delete_command},
      CommandEntry{"serve", "Make videos for browsers and other programs: a page and a REST interface", kReporter,
                   add_serve_command},
      CommandEntry{"worker", "Make the videos of the queue until told to stop", kLibraries, add_worker_command},
      CommandEntry{"evaluate", "Measure results", kNothing, add_evaluate_command},
      CommandEntry{"evaluate poses", "How far two pose sequences of one motion are apart", kNothing,
                   add_evaluate_poses_command},
      CommandEntry{"evaluate videos", "How far videos are from what they should be", kNothing,
                   add_evaluate_videos_command},
      CommandEntry{"evaluate model", "How near a model's videos of known people are to the truth", kLibraries,
                   add_evaluate_model_command},
      CommandEntry{"evaluate long", "Which way of making long videos of known people is nearest to the truth",
                   kLibraries, add_evaluate_long_command},
      CommandEntry{"puppet", "Draw a procedural person whose poses are known exactly", kReporter, add_puppet_command},
      CommandEntry{"train", "Train the UNet or the autoencoder", kGroup, add_train_command},
      CommandEntry{"models", "List, inspect and convert checkpoint files", kNothing, add_models_command},
      CommandEntry{"models list", "Which of the published files are there", kNothing, add_models_list_command},
      CommandEntry{"models inspect", "What a checkpoint file holds, and whether it is whole", kStopping,
                   add_models_inspect_command},
      CommandEntry{"models convert", "Write a checkpoint as safetensors", kReporter, add_models_convert_command},
  };
  return kCommands;
}

void add_commands(CLI::App& app, Session& session) {
  for (const CommandEntry& entry : command_table()) {
    const auto [parent, name] = place_of(app, entry.name);
    CLI::App* const command = parent->add_subcommand(name, entry.description);
    const CommandWork work = entry.add(*command, session);
    if (!work.run) continue;
    command->callback([needs = entry.needs, work, &session] {
      session.command = [needs, work, &session] { run(needs, work, session); };
    });
  }
}

}  // namespace unianimate::cli
