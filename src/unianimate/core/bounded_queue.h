// A queue between threads that never grows beyond its size.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace unianimate {

/// push() waits for room, try_push() does not, pop() waits for something to take. After close() nothing is taken in any
/// more, and pop() gives nothing once what was there is gone.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t size) : size_(size) {}

  /// False where the queue is closed.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || items_.size() < size_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  /// False where there is no room, or the queue is closed.
  bool try_push(T item) {
    const std::scoped_lock lock(mutex_);
    if (closed_ || items_.size() >= size_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  void close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::size_t size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

/// Closes a queue when whoever fills or empties it ends, however that comes.
template <typename T>
class CloseAtEnd {
 public:
  explicit CloseAtEnd(BoundedQueue<T>& queue) : queue_(queue) {}
  ~CloseAtEnd() { queue_.close(); }
  CloseAtEnd(const CloseAtEnd&) = delete;
  CloseAtEnd& operator=(const CloseAtEnd&) = delete;

 private:
  BoundedQueue<T>& queue_;
};

}  // namespace unianimate
