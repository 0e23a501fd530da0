#include "unianimate/cli/invocation.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <string_view>

#include "unianimate/cli/console.h"
#include "unianimate/cli/session.h"
#include "unianimate/cli/version.h"
#include "unianimate/core/error.h"
#include "unianimate/distributed/local_launch.h"
#include "unianimate/media/film/still_pictures.h"
#include "unianimate/studio/failure.h"

namespace unianimate::cli {

namespace {

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

bool asks_for_json(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](std::string_view argument) { return argument == "--json"; });
}

void run(int argc, char** argv, Session& session) {
  CLI::App app("Animates a picture of a person with a sequence of poses.", "unianimate");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text);
  app.footer(kExamples);
  session.arguments = argv;
  // Even a command line that cannot be read is answered in the form it asks for.
  if (asks_for_json(argc, argv)) session.reporter = make_reporter(true, false);
  add_commands(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help and --version
      std::ostringstream text;
      app.exit(error, text, text);
      write_text(stdout, text.str());
      return;
    }
    throw Error(ErrorKind::kUsage, "{}; see {} --help", error.what(), command_of(app));
  }
  session.command();
}

/// " in the phase 'sample' after 3 of 31 steps; nothing unfinished is at the place of the output"
std::string where_it_stood(const Session& session) {
  const std::string position = session.reporter->position();
  return (position.empty() ? "" : " " + position) + "; " + session.left_when_stopped;
}

/// Quiet where a person has seen enough, as after `| head`.
void require_written_output(bool json, Session& session) {
  const int problem = lost_output();
  if (problem == 0) return;
  session.exit_status = exit_status(ErrorKind::kEnvironment);
  if (problem == EPIPE && !json) return;
  throw Error(ErrorKind::kEnvironment, "what belongs on the standard output could not be written there: {}",
              std::strerror(problem));
}

}  // namespace

int invoke(int argc, char** argv) {
  read_further_pictures();
  Session session;
  try {
    run(argc, argv, session);
    if (session.exit_status == 0) require_written_output(asks_for_json(argc, argv), session);
    return session.exit_status;
  } catch (...) {
    studio::Failure failure = studio::describe_failure(std::current_exception());
    if (failure.exit_status == exit_status(ErrorKind::kCancelled)) failure.message += where_it_stood(session);
    // One of several processes leaves it to whoever started them.
    if (!distributed::tell_launcher(failure.message)) session.reporter->failed(failure.message, failure.exit_status);
    return failure.exit_status;
  }
}

}  // namespace unianimate::cli
