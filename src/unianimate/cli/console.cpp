#include "unianimate/cli/console.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace unianimate::cli {

namespace {

std::atomic<int> g_lost_output{0};

/// errno, 0 where all was written.
int write_all(int descriptor, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // Whoever made the descriptor so wants not to wait; what is written here has to be.
      pollfd ready{descriptor, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

void write_text(std::FILE* stream, std::string_view text) noexcept {
  const int problem = write_all(::fileno(stream), text);
  int nothing_lost = 0;
  if (problem != 0 && stream == stdout) g_lost_output.compare_exchange_strong(nothing_lost, problem);
}

void print_passing(std::string_view text) noexcept {
  static_cast<void>(write_all(STDOUT_FILENO, text));
}

int lost_output() noexcept {
  return g_lost_output.load();
}

}  // namespace unianimate::cli
