#include "unianimate/distributed/local_launch.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/threads.h"
#include "unianimate/distributed/bound_socket.h"

namespace unianimate::distributed {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookInterval{20};
constexpr std::chrono::seconds kTimeToNotice{1};
constexpr std::chrono::seconds kTimeToStop{10};
constexpr std::chrono::seconds kTimeToDie{2};
constexpr int kCannotRun = 127;
constexpr std::array kStopSignals{SIGINT, SIGTERM, SIGHUP, SIGTSTP};
constexpr const char* kPipeVariable = "UNIANIMATE_LAUNCHER_PIPE";

std::atomic<int> g_stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free variables");

void on_stop_signal(int signal) {
  g_stop_signal.store(signal);
}

/// While it lives, stop signals are only written down. Shells start what runs in the background with SIGINT ignored;
/// whoever sends it all the same means it. SIGHUP and SIGTSTP stay ignored.
class StopSignals {
 public:
  StopSignals() {
    g_stop_signal.store(0);
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
      ::sigaction(kStopSignals.at(i), nullptr, &before_.at(i));
      const bool may_be_ignored = kStopSignals.at(i) == SIGHUP || kStopSignals.at(i) == SIGTSTP;
      if (may_be_ignored && before_.at(i).sa_handler == SIG_IGN) continue;
      ::sigaction(kStopSignals.at(i), &action, nullptr);
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

/// Where the copies leave what they end with.
class Messages {
 public:
  Messages() {
    if (::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
      throw Error(ErrorKind::kEnvironment, "no pipe to other processes can be had: {}", std::strerror(errno));
    }
  }
  ~Messages() {
    for (const int end : ends_) ::close(end);
  }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;

  /// The descriptor for the copies to write to.
  [[nodiscard]] int entrance() const { return ends_[1]; }

  /// Empties the pipe; those who come later must not wait to be rid of theirs.
  void look() {
    std::array<char, PIPE_BUF> buffer{};
    for (ssize_t count = 0; (count = ::read(ends_[0], buffer.data(), buffer.size())) > 0;)
      text_.append(buffer.data(), static_cast<std::size_t>(count));
  }
  /// What came first is the cause of the rest.
  [[nodiscard]] std::string first() const { return text_.substr(0, text_.find('\0')); }

 private:
  std::array<int, 2> ends_{};
  std::string text_;
};

/// Starts this program anew, with `inherited` left open. Between fork and exec only what is allowed beside other
/// threads is called.
pid_t start(char** argv, std::vector<std::string> environment, const std::vector<int>& inherited) {
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
  for (const int descriptor : inherited) ::fcntl(descriptor, F_SETFD, 0);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
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

  void add(pid_t child) {
    running_.push_back(child);
    all_.push_back(child);
  }
  [[nodiscard]] bool running() const { return !running_.empty(); }
  /// The wait status of the first that failed, 0 while none has.
  [[nodiscard]] int first_failure() const { return first_failure_; }
  [[nodiscard]] int first_failed_rank() const { return first_failed_rank_; }

  void send(int signal) const {
    for (const pid_t child : running_) ::kill(child, signal);
  }

  /// Takes note of those that have ended.
  void look() {
    std::erase_if(running_, [&](pid_t child) {
      int status = 0;
      const pid_t ended = ::waitpid(child, &status, WNOHANG);
      if (ended < 0 && errno == ECHILD) return true;
      if (ended != child) return false;
      if (first_failure_ == 0 && status != 0) {
        first_failure_ = status;
        first_failed_rank_ = static_cast<int>(std::ranges::find(all_, child) - all_.begin());
      }
      return true;
    });
  }

 private:
  std::vector<pid_t> all_;  ///< by rank
  std::vector<pid_t> running_;
  int first_failure_ = 0;
  int first_failed_rank_ = 0;
};

/// Passes stop signals on.
class Passing {
 public:
  explicit Passing(const Children& children) : children_(children) {}

  void look() {
    const int signal = StopSignals::take();
    if (signal == SIGTSTP) {
      children_.send(SIGSTOP);
      ::raise(SIGSTOP);
      children_.send(SIGCONT);
    } else if (signal != 0) {
      children_.send(signal);
      children_.send(SIGCONT);  // one that stands still would not hear of it
      // A second signal ends a process at once, unless something holds it up.
      if (asked_to_stop_) kill_from_ = std::min(kill_from_, Clock::now() + kTimeToDie);
      asked_to_stop_ = true;
    }
    if (Clock::now() >= kill_from_) children_.send(SIGKILL);
  }
  [[nodiscard]] bool asked_to_stop() const { return asked_to_stop_; }

 private:
  const Children& children_;
  bool asked_to_stop_ = false;
  Clock::time_point kill_from_ = Clock::time_point::max();
};

/// Waits until all have ended, and ends the rest when one fails.
void watch(Children& children, Messages& messages) {
  const int stopped = exit_status(ErrorKind::kCancelled);
  Passing passing(children);
  std::optional<Clock::time_point> failed;
  bool asked = false;
  while (children.running()) {
    std::this_thread::sleep_for(kLookInterval);
    passing.look();
    children.look();
    messages.look();
    const int failure = children.first_failure();
    const bool as_wished = passing.asked_to_stop() && WIFEXITED(failure) && WEXITSTATUS(failure) == stopped;
    if (failure == 0 || as_wished) continue;
    if (!failed) failed = Clock::now();
    if (!asked && Clock::now() >= *failed + kTimeToNotice) {
      asked = true;
      children.send(SIGTERM);
      children.send(SIGCONT);
    }
    if (Clock::now() >= *failed + kTimeToNotice + kTimeToStop) children.send(SIGKILL);
  }
  messages.look();
}

LocalOutcome outcome_of(const Children& children, const Messages& messages, int count) {
  const int failure = children.first_failure();
  if (failure == 0) return {};
  if (!WIFSIGNALED(failure)) return {WEXITSTATUS(failure), messages.first()};
  const int signal = WTERMSIG(failure);
  const char* why = signal == SIGKILL ? ", as the system does where memory runs out" : "";
  return {exit_status(ErrorKind::kEnvironment),
          fmt::format("process {} of {} was ended by signal {} ({}){}; what is saved can be gone on with",
                      children.first_failed_rank() + 1, count, signal, ::strsignal(signal), why)};
}

}  // namespace

LocalOutcome run_on_this_machine(int count, char** argv) {
  if (count < 1) throw Error(ErrorKind::kUsage, "the number of processes should be at least 1, but is {}", count);
  constexpr const char* kAddress = "127.0.0.1";
  auto meeting_point = BoundSocket::open(kAddress, 0);
  if (!meeting_point) throw Error(ErrorKind::kEnvironment, "this machine has no {}, where processes meet", kAddress);
  Messages messages;
  std::vector<std::string> settings{
      fmt::format("MASTER_ADDR={}", kAddress), fmt::format("MASTER_PORT={}", meeting_point->port()),
      fmt::format("UNIANIMATE_MASTER_SOCKET={}", meeting_point->descriptor()),
      fmt::format("{}={}", kPipeVariable, messages.entrance()), fmt::format("WORLD_SIZE={}", count),
      // What somebody else may have started this process with.
      "GLOO_SOCKET_IFNAME=", "TORCHELASTIC_USE_AGENT_STORE=False"};
  if (std::getenv("OMP_NUM_THREADS") == nullptr)
    settings.push_back(fmt::format("OMP_NUM_THREADS={}", std::max(1, thread_count(0) / count)));

  ::signal(SIGCHLD, SIG_DFL);  // where it is inherited as ignored, nobody can wait for children
  const StopSignals stop_signals;
  Children children;
  for (int rank = 0; rank < count; ++rank) {
    std::vector<std::string> own = settings;
    own.push_back(fmt::format("RANK={}", rank));
    own.push_back(fmt::format("LOCAL_RANK={}", rank));
    std::vector<int> inherited{messages.entrance()};
    if (rank == 0) inherited.push_back(meeting_point->descriptor());
    const pid_t child = start(argv, environment_with(own), inherited);
    if (child < 0) {
      throw Error(ErrorKind::kEnvironment, "process {} of {} could not be started ({}); ask for fewer", rank + 1, count,
                  std::strerror(errno));
    }
    children.add(child);
  }
  meeting_point.reset();  // it is rank 0's, and gone with it
  watch(children, messages);
  return outcome_of(children, messages, count);
}

bool tell_launcher(const std::string& message) noexcept {
  const char* text = std::getenv(kPipeVariable);
  if (text == nullptr) return false;
  int descriptor = -1;
  std::from_chars(text, text + std::strlen(text), descriptor);
  // So much is written in one piece, whoever else writes.
  const std::string piece = message.substr(0, PIPE_BUF - 1) + '\0';
  return ::write(descriptor, piece.data(), piece.size()) == static_cast<ssize_t>(piece.size());
}

}  // namespace unianimate::distributed
