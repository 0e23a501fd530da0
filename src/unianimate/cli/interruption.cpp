#include "unianimate/cli/interruption.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

namespace unianimate::cli {

namespace {

std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free variables");

void on_signal(int signal) {
  constexpr int kExitStatus = 130;
  if (g_interrupted.exchange(true)) ::_exit(kExitStatus);
  // The others come from programs, which press no keys.
  if (signal != SIGINT) return;
  constexpr std::string_view kMessage = "\nstopping after this step; press Ctrl-C again to stop at once\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
}

}  // namespace

void catch_interruptions() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  struct sigaction hang_up {};
  const bool ignored = ::sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler == SIG_IGN;
  if (!ignored) ::sigaction(SIGHUP, &action, nullptr);
}

bool interrupted() noexcept {
  return g_interrupted.load();
}

}  // namespace unianimate::cli
