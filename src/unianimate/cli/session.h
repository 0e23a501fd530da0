// What main() and the commands share.
#pragma once

#include <functional>
#include <memory>

#include "unianimate/cli/reporter.h"

namespace CLI {
class App;
}

namespace unianimate::cli {

struct Session {
  char** arguments = nullptr;                                        ///< of the process
  std::unique_ptr<Reporter> reporter = make_reporter(false, false);  ///< the chosen command may put in another
  std::function<void()> command;                                     ///< what the command line asks for
  int exit_status = 0;                                               ///< where the command throws nothing
  /// What is said where the work is stopped, about what it leaves.
  std::string left_when_stopped = "nothing unfinished is at the place of the output";
};

/// Each adds a command with its options to `app`; when the command line names it, session.command runs it. All throw
/// Error of every kind.
void add_align_command(CLI::App& app, Session& session);
void add_animate_command(CLI::App& app, Session& session);
void add_evaluate_command(CLI::App& app, Session& session);
void add_job_command(CLI::App& app, Session& session);
void add_puppet_command(CLI::App& app, Session& session);
void add_resume_command(CLI::App& app, Session& session);
void add_run_command(CLI::App& app, Session& session);
void add_train_command(CLI::App& app, Session& session);
void add_models_command(CLI::App& app, Session& session);

/// All of them, in the order in which the help shows them.
void add_commands(CLI::App& app, Session& session);

}  // namespace unianimate::cli
