#include "unianimate/core/threads.h"

#include <algorithm>
#include <thread>

namespace unianimate {

int thread_count(int wanted) {
  return wanted > 0 ? wanted : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace unianimate
