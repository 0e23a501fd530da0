#include "unianimate/cli/openmp_environment.h"

#include <unistd.h>

#include <cstdlib>

namespace unianimate::cli {

void restart_with_short_spinning(char** arguments) {
  constexpr const char* kSpinCount = "GOMP_SPINCOUNT";
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv(kSpinCount) != nullptr) return;
  if (::setenv(kSpinCount, "2000", 1) == 0) ::execv("/proc/self/exe", arguments);
}

}  // namespace unianimate::cli
