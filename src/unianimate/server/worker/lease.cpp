#include "unianimate/server/worker/lease.h"

#include <optional>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"

namespace unianimate::worker {

Lease::Lease(const OpenQueue& open, queue::Claim claim, queue::WorkerRow worker, LeaseTimes times)
    : claim_(std::move(claim)), worker_(std::move(worker)), times_(times), thread_([this, open] { keep(open); }) {}

Lease::~Lease() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void Lease::keep(const OpenQueue& open) {
  std::optional<queue::JobQueue> queue;
  auto reached = std::chrono::steady_clock::now();
  while (!wait() && !lost_) {
    try {
      if (!queue) queue.emplace(open());
      renew(*queue);
      reached = std::chrono::steady_clock::now();
    } catch (const Error&) {
      // The database may come back.
      queue.reset();
      if (std::chrono::steady_clock::now() - reached > times_.unreachable) lost_ = true;
    }
  }
}

void Lease::renew(queue::JobQueue& queue) {
  const std::optional<bool> to_stop = queue.renew(claim_);
  if (!to_stop) lost_ = true;
  if (to_stop.value_or(false)) cancel_requested_ = true;
  worker_.resident_bytes = resident_bytes();
  queue.see(worker_);
}

/// Whether it is over.
bool Lease::wait() {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, times_.between, [this] { return ends_; });
}

}  // namespace unianimate::worker
