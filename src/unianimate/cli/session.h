// What a call of the program and its command share.
#pragma once

#include <functional>
#include <memory>

#include "unianimate/cli/reporter.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own
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

/// All commands, in the order in which the help shows them; when the command line names one, session.command makes
/// ready what it needs and runs it. Throws Error of every kind.
void add_commands(CLI::App& app, Session& session);

}  // namespace unianimate::cli
