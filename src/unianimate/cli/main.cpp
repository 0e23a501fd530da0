// The program `unianimate`: the only place that catches errors and turns them into messages and exit statuses.
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <new>
#include <string>

#include "unianimate/cli/session.h"
#include "unianimate/cli/version.h"
#include "unianimate/core/error.h"

namespace {

using unianimate::Error;
using unianimate::ErrorKind;
using unianimate::cli::Session;

constexpr int kUnexpected = 1;

constexpr const char* kExamples = R"(Examples:
  unianimate animate --reference person.jpg --poses poses/dance --output dance.mp4
  unianimate run configs/UniAnimate_infer.yaml --dry-run
  unianimate models list

Each command has its own --help. Exit status: 0 done, 2 wrong usage, 3 unusable input, 4 the machine cannot, 130
stopped.)";

int run(int argc, char** argv, Session& session) {
  CLI::App app("Animates a picture of a person with a sequence of poses.", "unianimate");
  app.require_subcommand(1);
  app.set_version_flag("--version", unianimate::cli::version_text);
  app.footer(kExamples);
  session.arguments = argv;
  add_animate_command(app, session);
  add_run_command(app, session);
  add_models_command(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    throw Error(ErrorKind::kUsage, "{}; see unianimate --help", error.what());
  }
  session.command();
  return 0;
}

int fail(const Session& session, const std::string& message, int exit_status) {
  session.reporter->failed(message, exit_status);
  return exit_status;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

int main(int argc, char** argv) {
  Session session;
  try {
    return run(argc, argv, session);
  } catch (const Error& error) {
    std::string message = error.what();
    if (error.kind() == ErrorKind::kCancelled)
      message += fmt::format(" {}; no unfinished file is left", session.reporter->position());
    return fail(session, message, exit_status(error.kind()));
  } catch (const std::bad_alloc&) {
    return fail(session, "memory ran out; close other programs, or ask for a smaller --size or --memory-budget",
                kUnexpected);
  } catch (const c10::Error& error) {
    return fail(session, fmt::format("libtorch failed: {}", first_line(error.what_without_backtrace())), kUnexpected);
  } catch (const std::exception& error) {
    return fail(session, fmt::format("something unexpected went wrong: {}", first_line(error.what())), kUnexpected);
  }
}
