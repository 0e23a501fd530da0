// The program `unianimate`: the only place that catches errors and turns them into messages and exit statuses.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "unianimate/cli/failure.h"
#include "unianimate/cli/session.h"
#include "unianimate/cli/version.h"
#include "unianimate/core/error.h"

namespace {

using unianimate::Error;
using unianimate::ErrorKind;
using unianimate::cli::Session;

constexpr const char* kExamples = R"(Examples:
  unianimate animate --reference person.jpg --motion dance.mp4 --output person_dances.mp4
  unianimate align --reference person.jpg --motion dance.mp4 --output poses/dance
  unianimate run configs/UniAnimate_infer.yaml --dry-run
  unianimate models list

Each command has its own --help. Exit status: 0 done, 2 wrong usage, 3 unusable input, 4 the machine cannot, 130
stopped.)";

/// "unianimate align": as far as the command line could be read.
std::string command_of(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* part = &app; !part->get_subcommands().empty();) {
    part = part->get_subcommands().front();
    name += " " + part->get_name();
  }
  return name;
}

int run(int argc, char** argv, Session& session) {
  CLI::App app("Animates a picture of a person with a sequence of poses.", "unianimate");
  app.require_subcommand(1);
  app.set_version_flag("--version", unianimate::cli::version_text);
  app.footer(kExamples);
  session.arguments = argv;
  // Even a command line that cannot be read is answered in the form it asks for.
  if (std::any_of(argv, argv + argc, [](std::string_view argument) { return argument == "--json"; }))
    session.reporter = unianimate::cli::make_reporter(true, false);
  add_animate_command(app, session);
  add_align_command(app, session);
  add_run_command(app, session);
  add_resume_command(app, session);
  add_job_command(app, session);
  add_evaluate_command(app, session);
  add_puppet_command(app, session);
  add_train_command(app, session);
  add_models_command(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    throw Error(ErrorKind::kUsage, "{}; see {} --help", error.what(), command_of(app));
  }
  session.command();
  return session.exit_status;
}

}  // namespace

int main(int argc, char** argv) {
  Session session;
  try {
    return run(argc, argv, session);
  } catch (...) {
    unianimate::cli::Failure failure = unianimate::cli::describe_failure(std::current_exception());
    if (failure.exit_status == exit_status(ErrorKind::kCancelled))
      failure.message +=
          fmt::format(" {}; nothing unfinished is at the place of the output", session.reporter->position());
    session.reporter->failed(failure.message, failure.exit_status);
    return failure.exit_status;
  }
}
