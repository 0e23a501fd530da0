#include "cli/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "support/temporary_folder.h"

namespace unianimate::testing {

namespace {

/// Nothing where the program has not made the file yet.
std::string content_so_far(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int open_output(const std::filesystem::path& path) {
  constexpr int kMode = 0600;
  return ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, kMode);
}

int open_unread_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) == 0) ::close(ends[0]);
  return ends[1];
}

/// Whether stdout and stderr are what the options ask for.
bool direct_output(const ProgramOptions& options, const std::filesystem::path& out, const std::filesystem::path& err) {
  constexpr const char* kFull = "/dev/full";
  const int output = options.unread_output ? open_unread_pipe() : open_output(options.full_output ? kFull : out);
  if (::dup2(output, STDOUT_FILENO) < 0) return false;
  if (::dup2(open_output(options.full_messages ? kFull : err), STDERR_FILENO) < 0) return false;
  for (const int descriptor : options.closed) ::close(descriptor);
  return true;
}

/// With the signal of the limit at its default, whatever the test has done to it.
bool limit_files(rlim_t largest) {
  const rlimit limit{largest, RLIM_INFINITY};
  return largest == RLIM_INFINITY ||
         (std::signal(SIGXFSZ, SIG_DFL) != SIG_ERR && ::setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

[[noreturn]] void become_program(std::vector<std::string> arguments, const ProgramOptions& options,
                                 const std::filesystem::path& out, const std::filesystem::path& err) {
  constexpr int kCannotStart = 127;
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  const bool ready = (options.folder.empty() || ::chdir(options.folder.c_str()) == 0) &&
                     direct_output(options, out, err) && limit_files(options.largest_file);
  if (ready) ::execv(argv[0], argv.data());
  ::_exit(kCannotStart);
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& arguments, const ProgramOptions& options) {
  const TemporaryFolder outputs;
  std::vector<std::string> all{UNIANIMATE_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become_program(std::move(all), options, outputs / "out", outputs / "err");

  int status = 0;
  bool interrupted = options.interrupt_after.empty();
  while (::waitpid(child, &status, interrupted ? 0 : WNOHANG) == 0) {
    constexpr useconds_t kPollMicroseconds = 20'000;
    if (content_so_far(outputs / "err").find(options.interrupt_after) != std::string::npos) {
      ::kill(child, options.signal);
      interrupted = true;
    } else {
      ::usleep(kPollMicroseconds);
    }
  }
  const int exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {exit_status, content_so_far(outputs / "out"), content_so_far(outputs / "err")};
}

}  // namespace unianimate::testing
