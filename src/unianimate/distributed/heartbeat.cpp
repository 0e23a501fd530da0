#include "unianimate/distributed/heartbeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace unianimate::distributed {

namespace {

using Clock = SilenceMeter::Clock;

/// So many beats are missing before one is lost.
constexpr int kBeatsInSilence = 8;
constexpr std::chrono::milliseconds kBetweenLooks{250};
/// A longer time between two looks is one in which this process stood still.
constexpr std::chrono::milliseconds kLongestLook{1000};
constexpr std::chrono::seconds kForGoodbye{1};
/// Added to the count of beats by one that leaves.
constexpr std::int64_t kGoodbye = std::int64_t{1} << 40;

std::string key_of(int rank) {
  return fmt::format("heartbeat/{}", rank);
}

}  // namespace

bool SilenceMeter::look(bool heard, Clock::time_point now) {
  const bool first = last_look_ == Clock::time_point{};
  const Clock::duration since = first ? Clock::duration{} : now - last_look_;
  last_look_ = now;
  silence_ = heard ? Clock::duration{} : silence_ + std::min<Clock::duration>(since, kLongestLook);
  return silence_ > most_;
}

struct Heartbeat::State {
  c10::intrusive_ptr<c10d::Store> store;
  int rank = 0;
  int size = 0;
  std::chrono::milliseconds silence{};

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::int64_t> beats;  ///< of each rank, as last seen
  bool ending = false;
  bool ended = false;  ///< beat() is
  std::string lost;

  /// The ranks that this one looks after.
  [[nodiscard]] std::pair<int, int> watched() const { return rank == 0 ? std::pair(1, size) : std::pair(0, 1); }
};

Heartbeat::Heartbeat(c10::intrusive_ptr<c10d::Store> store, int rank, int size, std::chrono::milliseconds silence)
    : state_(std::make_shared<State>()) {
  state_->store = std::move(store);
  state_->rank = rank;
  state_->size = size;
  state_->silence = silence;
  state_->beats.resize(static_cast<std::size_t>(size));
  beating_ = std::thread([state = state_] { beat(*state); });
  watching_ = std::thread([state = state_] { watch(*state); });
}

Heartbeat::~Heartbeat() {
  bool ended = false;
  {
    std::unique_lock<std::mutex> lock(state_->mutex);
    state_->ending = true;
    state_->changed.notify_all();
    ended = state_->changed.wait_for(lock, kForGoodbye, [&] { return state_->ended; });
  }
  for (std::thread* thread : {&beating_, &watching_}) {
    if (ended) {
      thread->join();
    } else {
      thread->detach();
    }
  }
}

std::string Heartbeat::lost() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->lost;
}

void Heartbeat::beat(State& state) {
  const auto [first, end] = state.watched();
  std::unique_lock<std::mutex> lock(state.mutex);
  bool said_goodbye = false;
  while (!said_goodbye && state.lost.empty()) {
    const bool ending = state.ending;
    lock.unlock();
    std::vector<std::int64_t> seen;
    std::string problem;
    try {
      state.store->add(key_of(state.rank), ending ? kGoodbye : 1);
      for (int rank = first; rank < end; ++rank) seen.push_back(state.store->add(key_of(rank), 0));
    } catch (const std::exception&) {
      problem = state.rank == 0 ? "the place where the processes met is gone" : "rank 0 has ended";
    }
    lock.lock();
    std::ranges::copy(seen, state.beats.begin() + first);
    said_goodbye = ending;
    if (!problem.empty() && state.lost.empty()) state.lost = problem;
    state.changed.notify_all();
    if (!ending) state.changed.wait_for(lock, state.silence / kBeatsInSilence, [&] { return state.ending; });
  }
  state.ended = true;
  state.changed.notify_all();
}

void Heartbeat::watch(State& state) {
  const auto [first, end] = state.watched();
  std::vector<SilenceMeter> meters(static_cast<std::size_t>(end - first), SilenceMeter(state.silence));
  std::vector<std::int64_t> before(meters.size());
  std::unique_lock<std::mutex> lock(state.mutex);
  while (!state.ending && state.lost.empty()) {
    const Clock::time_point now = Clock::now();
    for (int rank = first; rank < end; ++rank) {
      const auto i = static_cast<std::size_t>(rank - first);
      const std::int64_t beats = state.beats[static_cast<std::size_t>(rank)];
      const bool heard = beats >= kGoodbye || std::exchange(before[i], beats) != beats;
      if (meters[i].look(heard, now)) {
        state.lost = fmt::format("rank {} has not answered for {} s: it is stopped, or its machine cannot be reached",
                                 rank, std::chrono::duration_cast<std::chrono::seconds>(state.silence).count());
        break;
      }
    }
    state.changed.wait_for(lock, kBetweenLooks, [&] { return state.ending; });
  }
}

}  // namespace unianimate::distributed
