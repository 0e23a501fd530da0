#include "unianimate/training/first_process.h"

namespace unianimate::training {

void in_first_process(distributed::ProcessGroup& group, const std::function<void()>& work) {
  if (group.rank() == 0) work();
  group.barrier();
}

}  // namespace unianimate::training
