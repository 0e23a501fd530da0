#include "unianimate/training/first_process.h"

#include <ATen/ATen.h>

#include <chrono>
#include <future>

namespace unianimate::training {

void in_first_process(distributed::ProcessGroup& group, const std::function<void()>& work) {
  if (group.size() == 1) {
    work();
    return;
  }
  // A group gives up on who is silent for long, so the first process tells the others again and again.
  constexpr std::chrono::seconds kPulse{5};
  const auto tell = [&group](bool finished) {
    const at::Tensor told = at::full({1}, finished ? 1 : 0, at::kInt);
    group.broadcast({told});
    return told.item<int>() != 0;
  };
  if (group.rank() == 0) {
    std::future<void> working = std::async(std::launch::async, work);
    while (!tell(working.wait_for(kPulse) == std::future_status::ready)) {
    }
    working.get();
  } else {
    while (!tell(false)) {
    }
  }
  group.barrier();
}

}  // namespace unianimate::training
