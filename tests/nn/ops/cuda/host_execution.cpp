#include "nn/ops/cuda/host_execution.h"

#include <algorithm>
#include <numeric>

namespace unianimate::testing {

namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr std::size_t kGuardBytes = 256;
constexpr int kPoison = 0xFF;  // as floats and doubles NaN

}  // namespace

std::byte* HostExecution::shared() const {
  return reinterpret_cast<std::byte*>(owner_.shared_.data());
}

void HostExecution::barrier() {
  if (fault_ != Fault::kNoBarrier) owner_.wait(thread_, HostBlock::State::kAtBarrier);
}

const void* HostExecution::exchange(const void* value, std::size_t bytes, int lane) {
  const int turn = owner_.threads_[static_cast<std::size_t>(thread_)].shuffles++ % 2;
  std::memcpy(&owner_.posted_[static_cast<std::size_t>(thread_)].values[turn], value, bytes);
  owner_.wait(thread_, HostBlock::State::kAtShuffle);
  const int other = thread_ / nn::kWarp * nn::kWarp + lane;
  return &owner_.posted_[static_cast<std::size_t>(other)].values[turn];
}

void HostExecution::check_aligned(const void* at, std::size_t bytes) const {
  if (reinterpret_cast<std::uintptr_t>(at) % bytes != 0) {
    owner_.problem_ = "an address is no multiple of the " + std::to_string(bytes) + " bytes read or written there";
  }
}

std::string HostBlock::run(std::int64_t block, int threads, std::size_t shared_bytes, Fault fault, const Body& body) {
  problem_.clear();
  body_ = &body;
  const auto count = static_cast<std::size_t>(threads);
  shared_.resize((shared_bytes + kGuardBytes) / sizeof(double) + 1);
  std::memset(shared_.data(), kPoison, shared_.size() * sizeof(double));
  while (stacks_.size() < count) stacks_.push_back(std::make_unique<std::byte[]>(kStackBytes));
  threads_.resize(count);
  posted_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Thread& thread = threads_[i];
    thread.owner = this;
    thread.state = State::kReady;
    thread.execution.emplace(*this, block, static_cast<int>(i), fault);
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = stacks_[i].get();
    thread.context.uc_stack.ss_size = kStackBytes;
    thread.context.uc_link = &scheduler_;
    // makecontext() passes on integers only.
    const auto address = reinterpret_cast<std::uintptr_t>(&thread);
    makecontext(&thread.context, reinterpret_cast<void (*)()>(&HostBlock::enter), 2,
                static_cast<unsigned>(address >> 32), static_cast<unsigned>(address));
  }
  while (problem_.empty() && !all_are(State::kDone)) {
    if (!advance() && !release_warps() && !release_barrier()) {
      problem_ = "not all threads come to a barrier or an exchange that others wait at";
    }
  }
  const auto* const memory = reinterpret_cast<const std::byte*>(shared_.data());
  const bool is_clean = std::all_of(memory + shared_bytes, memory + shared_.size() * sizeof(double),
                                    [](std::byte b) { return b == std::byte{kPoison}; });
  if (problem_.empty() && !is_clean) problem_ = "shared memory is written beyond its end";
  return problem_;
}

void HostBlock::enter(unsigned high, unsigned low) {
  auto& thread = *reinterpret_cast<Thread*>(static_cast<std::uintptr_t>(high) << 32 | low);
  (*thread.owner->body_)(*thread.execution);
  thread.state = State::kDone;
}

void HostBlock::wait(int thread, State state) {
  Thread& own = threads_[static_cast<std::size_t>(thread)];
  own.state = state;
  swapcontext(&own.context, &scheduler_);
}

/// Runs what can, until it waits; some warps stay behind.
bool HostBlock::advance() {
  std::vector<std::size_t> order(threads_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::shuffle(order, random_);
  const std::uint64_t behind = random_();
  bool has_run = false;
  bool can_run = false;
  for (const std::size_t i : order) {
    if (threads_[i].state != State::kReady) continue;
    can_run = true;
    if ((behind >> (i / nn::kWarp) & 1U) != 0) continue;
    has_run = true;
    swapcontext(&scheduler_, &threads_[i].context);
  }
  if (has_run) release_warps();
  return can_run;
}

bool HostBlock::release_warps() {
  bool released = false;
  for (std::size_t first = 0; first < threads_.size(); first += nn::kWarp) {
    const auto begin = threads_.begin() + static_cast<std::ptrdiff_t>(first);
    if (!std::all_of(begin, begin + nn::kWarp, [](const Thread& t) { return t.state == State::kAtShuffle; })) continue;
    std::for_each(begin, begin + nn::kWarp, [](Thread& t) { t.state = State::kReady; });
    released = true;
  }
  return released;
}

bool HostBlock::release_barrier() {
  if (!all_are(State::kAtBarrier)) return false;
  for (Thread& thread : threads_) thread.state = State::kReady;
  return true;
}

bool HostBlock::all_are(State state) const {
  return std::ranges::all_of(threads_, [&](const Thread& thread) { return thread.state == state; });
}

}  // namespace unianimate::testing
