// Whether the other processes of a group are alive, however long they take for their work.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace unianimate::distributed {

/// How long nothing was heard of a process, without the time in which the listener itself stood still: all of a group
/// may be stopped together and go on together.
class SilenceMeter {
 public:
  using Clock = std::chrono::steady_clock;

  explicit SilenceMeter(Clock::duration most) : most_(most) {}

  /// To be called often. `heard`: something, since the last call. Returns whether it was silent for too long.
  bool look(bool heard, Clock::time_point now);

 private:
  Clock::duration most_;
  Clock::duration silence_{};
  Clock::time_point last_look_{};
};

/// A thread of its own says again and again that this process lives, at the place where the group met, and looks after
/// the others: rank 0 after all, each other one after rank 0.
class Heartbeat {
 public:
  /// `store`: a connection that nobody else uses. `silence`: how long one may be silent; it
  /// speaks eight times as often.
  Heartbeat(c10::intrusive_ptr<c10d::Store> store, int rank, int size, std::chrono::milliseconds silence);
  /// Says goodbye, so that nobody misses this process.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Who is lost, and how: "rank 1 has not answered for 8 s". Empty while nobody is.
  [[nodiscard]] std::string lost() const;

 private:
  struct State;
  static void beat(State& state);
  static void watch(State& state);

  std::shared_ptr<State> state_;  ///< of the threads too, which may outlive this where a connection never answers
  std::thread beating_;
  std::thread watching_;
};

}  // namespace unianimate::distributed
