// A thread that works on what another one makes, while that makes more.
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <optional>
#include <utility>

#include "unianimate/core/bounded_queue.h"

namespace unianimate {

/// `take` is called with everything that is given, in order, in a thread of its own. Once it has thrown, nothing more
/// is taken. Where this goes without finish(), what was given is still taken, and what `take` throws is lost.
template <typename T>
class Consumer {
 public:
  /// So many items may wait; give() then waits too.
  Consumer(std::size_t waiting, std::function<void(T)> take) : queue_(waiting), take_(std::move(take)) {
    taking_ = std::async(std::launch::async, [this] {
      const CloseAtEnd close(queue_);
      while (std::optional<T> item = queue_.pop()) take_(std::move(*item));
    });
  }
  ~Consumer() { queue_.close(); }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// Throws what `take` threw, after which nothing may be called.
  void give(T item) {
    if (!queue_.push(std::move(item))) taking_.get();
  }
  /// Waits until everything is taken. Throws as give(), and nothing may be called afterwards.
  void finish() {
    queue_.close();
    taking_.get();
  }

 private:
  BoundedQueue<T> queue_;
  std::function<void(T)> take_;
  std::future<void> taking_;
};

}  // namespace unianimate
