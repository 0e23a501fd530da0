#include "unianimate/cli/process_environment.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace unianimate::cli {

namespace {

/// True where the variable was not there and is now.
bool set_default(const char* name, const char* value) {
  return std::getenv(name) == nullptr && ::setenv(name, value, 1) == 0;
}

}  // namespace

void prepare_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free descriptor is taken, which is this one.
    const bool closed = ::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF;
    if (closed && ::open("/dev/null", O_RDWR) != descriptor) std::abort();
  }
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
}

void name_process() {
  ::prctl(PR_SET_NAME, "unianimate");
}

void tune_environment(char** arguments) {
  set_default("THP_MEM_ALLOC_ENABLE", "1");
  const bool waiting = std::getenv("OMP_WAIT_POLICY") == nullptr && set_default("GOMP_SPINCOUNT", "2000");
  if (waiting) ::execv("/proc/self/exe", arguments);
}

void keep_freed_memory() noexcept {
  constexpr int kLargestThreshold = 32 << 20;  // glibc takes no larger one
  constexpr int kNeverTrim = 1 << 30;
  constexpr int kGrowBy = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargestThreshold);
  mallopt(M_TRIM_THRESHOLD, kNeverTrim);
  mallopt(M_TOP_PAD, kGrowBy);
}

}  // namespace unianimate::cli
