#include "unianimate/core/threads.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>

#include "unianimate/core/control_groups.h"

namespace unianimate {

namespace {

int usable_processors() {
  constexpr int kMostProcessors = 1 << 14;
  const auto release = [](cpu_set_t* set) { CPU_FREE(set); };
  const std::unique_ptr<cpu_set_t, decltype(release)> set(CPU_ALLOC(kMostProcessors), release);
  const std::size_t bytes = CPU_ALLOC_SIZE(kMostProcessors);
  const bool known = set != nullptr && ::sched_getaffinity(0, bytes, set.get()) == 0;
  const int count = known ? CPU_COUNT_S(bytes, set.get()) : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, count);
}

/// What the control groups give time for, where that is less.
int usable_threads() {
  const int processors = usable_processors();
  const double allowed = std::ceil(read_control_groups().processors);
  return allowed < processors ? static_cast<int>(allowed) : processors;
}

}  // namespace

int thread_count(int wanted) {
  return wanted > 0 ? wanted : usable_threads();
}

int library_threads(int wanted) {
  if (wanted > 0) return wanted;
  const int threads = usable_threads();
  return threads < usable_processors() ? threads : 0;
}

}  // namespace unianimate
