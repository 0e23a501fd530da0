// Runs kernels of cards on the CPU: every thread of a block has a stack of its own and runs until it waits for others,
// in an order that is drawn anew each time; shared memory holds NaN at first.
#pragma once

#include <ucontext.h>

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "nn/ops/cuda/host_numbers.h"

namespace unianimate::testing {

/// What is done wrong on purpose, to see that somebody notices.
enum class Fault {
  kNone,
  kNoBarrier,    ///< threads do not wait for each other
  kDeafShuffle,  ///< threads get their own values
  kWrongStride,  ///< each warp reads packs one further along than the warp before it
};

class HostBlock;

/// One thread, as a kernel sees it.
class HostExecution {
 public:
  HostExecution(HostBlock& owner, std::int64_t block, int thread, Fault fault)
      : owner_(owner), block_(block), thread_(thread), fault_(fault) {}

  [[nodiscard]] std::int64_t block() const { return block_; }
  [[nodiscard]] int thread() const { return thread_; }
  [[nodiscard]] std::byte* shared() const;
  void barrier();

  template <typename V>
  V shuffle(V value, int lane) {
    static_assert(sizeof(V) <= sizeof(double));
    V given = value;
    std::memcpy(&given, exchange(&value, sizeof(V), lane), sizeof(V));
    return fault_ == Fault::kDeafShuffle ? value : given;
  }

  template <typename P, typename T>
  P load(const T* at) const {
    if (fault_ == Fault::kWrongStride) at += thread_ / nn::kWarp * static_cast<int>(sizeof(P) / sizeof(T));
    check_aligned(at, sizeof(P));
    P pack;
    std::memcpy(&pack, at, sizeof(P));
    return pack;
  }
  template <typename P, typename T>
  void store(T* at, const P& pack) const {
    check_aligned(at, sizeof(P));
    std::memcpy(at, &pack, sizeof(P));
  }

  template <typename T>
  static float to_float(T x) {
    return testing::to_float(x);
  }
  template <typename T>
  static T from_float(float x) {
    return testing::from_float<T>(x);
  }

 private:
  /// Waits for the warp; where the value of the other one lies then.
  const void* exchange(const void* value, std::size_t bytes, int lane);
  void check_aligned(const void* at, std::size_t bytes) const;

  HostBlock& owner_;
  std::int64_t block_;
  int thread_;
  Fault fault_;
};

/// Runs blocks one after the other.
class HostBlock {
 public:
  using Body = std::function<void(HostExecution&)>;

  explicit HostBlock(std::uint64_t seed) : random_(seed) {}

  /// What was wrong with the block: a wait that not all threads come to, an address that is no multiple, memory written
  /// beyond the end. Empty where nothing was.
  std::string run(std::int64_t block, int threads, std::size_t shared_bytes, Fault fault, const Body& body);

 private:
  friend class HostExecution;

  enum class State { kReady, kAtBarrier, kAtShuffle, kDone };
  struct Thread {
    ucontext_t context = {};
    HostBlock* owner = nullptr;
    State state = State::kReady;
    int shuffles = 0;
    std::optional<HostExecution> execution;
  };
  // A thread can be one exchange ahead of those that have not read yet.
  struct Posted {
    double values[2];
  };

  static void enter(unsigned high, unsigned low);
  void wait(int thread, State state);
  bool advance();
  bool release_warps();
  bool release_barrier();
  [[nodiscard]] bool all_are(State state) const;

  std::mt19937_64 random_;
  ucontext_t scheduler_ = {};
  std::vector<std::unique_ptr<std::byte[]>> stacks_;
  std::vector<Thread> threads_;
  std::vector<Posted> posted_;
  std::vector<double> shared_;
  const Body* body_ = nullptr;
  std::string problem_;
};

/// What a kernel is launched with: `faulty` is the number of the launch that has the fault.
class HostLauncher {
 public:
  explicit HostLauncher(Fault fault = Fault::kNone, int faulty = 0) : fault_(fault), faulty_(faulty) {}

  template <typename Kernel>
  void operator()(const Kernel& kernel) {
    const Fault fault = launches_++ == faulty_ ? fault_ : Fault::kNone;
    const HostBlock::Body body = [&](HostExecution& execution) { kernel(execution); };
    // The last blocks first: no block may count on others.
    for (std::int64_t block = kernel.blocks(); block-- > 0 && problem_.empty();) {
      problem_ = block_.run(block, Kernel::kThreads, kernel.shared_bytes(), fault, body);
    }
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  HostBlock block_{20240801};
  Fault fault_;
  int faulty_;
  int launches_ = 0;
  std::string problem_;
};

}  // namespace unianimate::testing
