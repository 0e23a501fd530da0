#include "unianimate/server/store/aging.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace unianimate::store {

double Aging::seconds_since_boot() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  constexpr double kNano = 1e-9;
  return static_cast<double>(time.tv_sec) + kNano * static_cast<double>(time.tv_nsec);
}

Aging::Aging(queue::JobQueue& queue, std::function<double()> elapsed)
    : elapsed_(std::move(elapsed)), offset_(queue.now() - elapsed_()) {}

double Aging::by_database(queue::JobQueue& queue, double seconds) {
  // Two clocks never run quite alike.
  constexpr double kDrift = 60;
  const double now = queue.now();
  const double set_forward = std::max(0.0, now - elapsed_() - offset_);
  const std::lock_guard lock(mutex_);
  if (set_forward > set_forward_ + kDrift) seen_ = now;
  if (set_forward > set_forward_ + kDrift || set_forward < set_forward_) set_forward_ = set_forward;
  return seen_ < now - seconds ? seconds : seconds + set_forward;
}

}  // namespace unianimate::store
