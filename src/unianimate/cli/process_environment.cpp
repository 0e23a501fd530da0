#include "unianimate/cli/process_environment.h"

#include <malloc.h>

#include <unistd.h>

#include <cstdlib>

namespace unianimate::cli {

namespace {

/// True where the variable was not there and is now.
bool set_default(const char* name, const char* value) {
  return std::getenv(name) == nullptr && ::setenv(name, value, 1) == 0;
}

}  // namespace

void restart_with_tuned_environment(char** arguments) {
  const bool waiting = std::getenv("OMP_WAIT_POLICY") == nullptr && set_default("GOMP_SPINCOUNT", "2000");
  const bool pages = set_default("THP_MEM_ALLOC_ENABLE", "1");
  if (waiting || pages) ::execv("/proc/self/exe", arguments);
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
