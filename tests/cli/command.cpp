#include "cli/command.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "unianimate/cli/failure.h"
#include "unianimate/cli/session.h"
#include "unianimate/core/error.h"

namespace unianimate::testing {

namespace {

/// Takes what is written to a descriptor for as long as it lives.
class Captured {
 public:
  explicit Captured(int descriptor)
      : descriptor_(descriptor), kept_(::dup(descriptor)), file_((std::fflush(nullptr), std::tmpfile())) {
    ::dup2(::fileno(file_), descriptor_);
  }
  ~Captured() {
    std::fflush(nullptr);
    ::dup2(kept_, descriptor_);
    ::close(kept_);
    std::fclose(file_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  [[nodiscard]] std::string text() const {
    std::fflush(nullptr);
    std::string text;
    std::fseek(file_, 0, SEEK_SET);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) text += static_cast<char>(c);
    return text;
  }

 private:
  int descriptor_;
  int kept_;
  std::FILE* file_;
};

/// The exit status; what is wrong is printed.
int run(const std::vector<std::string>& arguments) {
  cli::Session session;
  CLI::App app("", "unianimate");
  std::vector<const char*> words{"unianimate"};
  for (const std::string& argument : arguments) words.push_back(argument.c_str());
  try {
    cli::add_commands(app, session);
    app.parse(static_cast<int>(words.size()), words.data());
    session.command();
    return session.exit_status;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "unianimate: %s\n", error.what());
    return exit_status(ErrorKind::kUsage);
  } catch (...) {
    const cli::Failure failure = cli::describe_failure(std::current_exception());
    std::fprintf(stderr, "unianimate: %s\n", failure.message.c_str());
    return failure.exit_status;
  }
}

}  // namespace

ProgramResult run_here(const std::vector<std::string>& arguments, const std::filesystem::path& folder) {
  // The program would start itself anew to set these.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  ::setenv("THP_MEM_ALLOC_ENABLE", "1", 0);
  const std::filesystem::path before = std::filesystem::current_path();
  const int threads = at::get_num_threads();
  std::filesystem::current_path(folder);
  ProgramResult result;
  {
    const Captured out(STDOUT_FILENO);
    const Captured err(STDERR_FILENO);
    result.status = run(arguments);
    result.out = out.text();
    result.err = err.text();
  }
  at::set_num_threads(threads);
  std::filesystem::current_path(before);
  return result;
}

}  // namespace unianimate::testing
