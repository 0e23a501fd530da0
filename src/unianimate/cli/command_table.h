// The commands, and what each needs before it runs.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "unianimate/cli/session.h"
#include "unianimate/fields/command_line.h"

namespace unianimate::cli {

/// What a command does once its options are read.
struct CommandWork {
  std::function<void()> run = {};  ///< empty for a command that only holds others
  /// Among which are those of MessageArguments and ProcessArguments; null for a command that needs neither.
  std::shared_ptr<const fields::CommandLine> options = {};
  std::function<void()> check = {};  ///< what is looked at before copies are started; may be empty
};

/// What is made ready before the work.
enum class CommandNeeds {
  kNothing,    ///< the work is short and its result is all there is to say
  kStopping,   ///< stops where it is asked to
  kReporter,   ///< that, and tells how it goes
  kLibraries,  ///< that, and computes for long, so that the libraries' environment is tuned
  kGroup,      ///< that, and several processes may share the work
};

struct CommandEntry {
  const char* name;         ///< "animate", "evaluate model"
  const char* description;  ///< for the help
  CommandNeeds needs;
  CommandWork (*add)(CLI::App& command, Session& session);  ///< adds the options
};

/// In the order in which the help shows them; commands stand before those they hold.
std::span<const CommandEntry> command_table();

CommandWork add_align_command(CLI::App& command, Session& session);
CommandWork add_animate_command(CLI::App& command, Session& session);
CommandWork add_evaluate_command(CLI::App& command, Session& session);
CommandWork add_evaluate_long_command(CLI::App& command, Session& session);
CommandWork add_evaluate_model_command(CLI::App& command, Session& session);
CommandWork add_evaluate_poses_command(CLI::App& command, Session& session);
CommandWork add_evaluate_videos_command(CLI::App& command, Session& session);
CommandWork add_job_command(CLI::App& command, Session& session);
CommandWork add_job_delete_command(CLI::App& command, Session& session);
CommandWork add_job_list_command(CLI::App& command, Session& session);
CommandWork add_job_show_command(CLI::App& command, Session& session);
CommandWork add_models_command(CLI::App& command, Session& session);
CommandWork add_models_convert_command(CLI::App& command, Session& session);
CommandWork add_models_inspect_command(CLI::App& command, Session& session);
CommandWork add_models_list_command(CLI::App& command, Session& session);
CommandWork add_puppet_command(CLI::App& command, Session& session);
CommandWork add_queue_command(CLI::App& command, Session& session);
CommandWork add_queue_add_command(CLI::App& command, Session& session);
CommandWork add_queue_cancel_command(CLI::App& command, Session& session);
CommandWork add_queue_delete_command(CLI::App& command, Session& session);
CommandWork add_queue_list_command(CLI::App& command, Session& session);
CommandWork add_queue_resume_command(CLI::App& command, Session& session);
CommandWork add_queue_show_command(CLI::App& command, Session& session);
CommandWork add_resume_command(CLI::App& command, Session& session);
CommandWork add_run_command(CLI::App& command, Session& session);
CommandWork add_serve_command(CLI::App& command, Session& session);
CommandWork add_train_command(CLI::App& command, Session& session);
CommandWork add_worker_command(CLI::App& command, Session& session);

}  // namespace unianimate::cli
