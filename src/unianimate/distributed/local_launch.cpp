#include "unianimate/distributed/local_launch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/threads.h"

namespace unianimate::distributed {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookInterval{20};
constexpr std::chrono::seconds kTimeToNotice{5};
constexpr std::chrono::seconds kTimeToStop{10};
constexpr int kCannotRun = 127;
constexpr int kSignalStatus = 128;
constexpr std::array kStopSignals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> g_stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free variables");

void on_stop_signal(int signal) {
  g_stop_signal.store(signal);
}

/// While it lives, stop signals are only written down.
class StopSignals {
 public:
  StopSignals() {
    g_stop_signal.store(0);
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
      ::sigaction(kStopSignals.at(i), nullptr, &before_.at(i));
      if (before_.at(i).sa_handler != SIG_IGN) ::sigaction(kStopSignals.at(i), &action, nullptr);
    }
  }
  ~StopSignals() {
    for (std::size_t i = 0; i < kStopSignals.size(); ++i) ::sigaction(kStopSignals.at(i), &before_.at(i), nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that came since the last call, or 0.
  static int take() { return g_stop_signal.exchange(0); }

 private:
  std::array<struct sigaction, kStopSignals.size()> before_{};
};

std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* any_address = reinterpret_cast<sockaddr*>(&address);
  const bool found = descriptor >= 0 && ::bind(descriptor, any_address, length) == 0 &&
                     ::getsockname(descriptor, any_address, &length) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!found) {
    throw Error(ErrorKind::kEnvironment, "no free port was found on 127.0.0.1 ({}), where several processes meet",
                std::strerror(error));
  }
  return ntohs(address.sin_port);
}

/// This process's environment, in which `settings` ("NAME=value") replace what has their names.
std::vector<std::string> environment_with(const std::vector<std::string>& settings) {
  const auto name_of = [](std::string_view setting) { return setting.substr(0, setting.find('=')); };
  std::vector<std::string> all = settings;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const bool replaced = std::any_of(settings.begin(), settings.end(),
                                      [&](const std::string& setting) { return name_of(setting) == name_of(*entry); });
    if (!replaced) all.emplace_back(*entry);
  }
  return all;
}

/// Starts this program anew. Between fork and exec only what is allowed beside other threads is called.
pid_t start(char** argv, std::vector<std::string> environment) {
  std::vector<char*> entries;
  entries.reserve(environment.size() + 1);
  for (std::string& entry : environment) entries.push_back(entry.data());
  entries.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  // In a group of its own the terminal's Ctrl-C does not reach it besides being passed on.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kCannotRun);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::execve("/proc/self/exe", argv, entries.data());
  ::_exit(kCannotRun);
}

/// The processes started and not yet ended. What is left at the end of its life is killed.
class Children {
 public:
  Children() = default;
  ~Children() {
    send(SIGKILL);
    for (const pid_t child : running_) ::waitpid(child, nullptr, 0);
  }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  void add(pid_t child) { running_.push_back(child); }
  [[nodiscard]] bool running() const { return !running_.empty(); }
  [[nodiscard]] int first_failure() const { return first_failure_; }

  void send(int signal) const {
    for (const pid_t child : running_) ::kill(child, signal);
  }

  /// Takes note of those that have ended.
  void look() {
    std::erase_if(running_, [&](pid_t child) {
      int status = 0;
      if (::waitpid(child, &status, WNOHANG) != child) return false;
      const int exit_status = WIFSIGNALED(status) ? kSignalStatus + WTERMSIG(status) : WEXITSTATUS(status);
      if (first_failure_ == 0) first_failure_ = exit_status;
      return true;
    });
  }

 private:
  std::vector<pid_t> running_;
  int first_failure_ = 0;
};

/// Waits until all have ended, passes stop signals on, and ends the rest when one fails.
void watch(Children& children) {
  bool asked_to_stop = false;
  Clock::time_point next_step;
  int steps = 0;
  while (children.running()) {
    std::this_thread::sleep_for(kLookInterval);
    if (const int signal = StopSignals::take(); signal != 0) {
      children.send(signal);
      asked_to_stop = true;
    }
    children.look();
    if (asked_to_stop || children.first_failure() == 0) continue;
    if (steps == 0) {
      next_step = Clock::now() + kTimeToNotice;
      steps = 1;
    } else if (Clock::now() >= next_step) {
      children.send(steps == 1 ? SIGTERM : SIGKILL);
      next_step = Clock::now() + kTimeToStop;
      steps = 2;
    }
  }
}

}  // namespace

int run_on_this_machine(int count, char** argv) {
  if (count < 1) throw Error(ErrorKind::kUsage, "the number of processes should be at least 1, but is {}", count);
  std::vector<std::string> settings{"MASTER_ADDR=127.0.0.1", fmt::format("MASTER_PORT={}", free_port()),
                                    fmt::format("WORLD_SIZE={}", count)};
  if (std::getenv("OMP_NUM_THREADS") == nullptr)
    settings.push_back(fmt::format("OMP_NUM_THREADS={}", std::max(1, thread_count(0) / count)));

  const StopSignals stop_signals;
  Children children;
  for (int rank = 0; rank < count; ++rank) {
    std::vector<std::string> own = settings;
    own.push_back(fmt::format("RANK={}", rank));
    own.push_back(fmt::format("LOCAL_RANK={}", rank));
    const pid_t child = start(argv, environment_with(own));
    if (child < 0) {
      throw Error(ErrorKind::kEnvironment, "process {} of {} could not be started ({}); ask for fewer", rank + 1, count,
                  std::strerror(errno));
    }
    children.add(child);
  }
  watch(children);
  return children.first_failure();
}

}  // namespace unianimate::distributed
