// What kernels for cards are written against. A kernel is a plain struct with
//
//   static constexpr int kThreads;                                   threads of a block, a multiple of 32
//   std::int64_t blocks() const;  std::size_t shared_bytes() const;  how it is launched
//   template <typename Execution> void operator()(Execution&) const; what one thread does
//
// and an Execution has
//
//   std::int64_t block();  int thread();      who runs
//   std::byte* shared();                      the block's memory, aligned for packs of 16 bytes, not initialised
//   void barrier();                           all threads of the block get here
//   V shuffle(V value, int lane);             the value of another thread of the same 32, all of which get here
//   P load<P>(const T* at), void store(T* at, P)   several elements at once, at an address that is a multiple of their
//   size static float to_float(T), static T from_float<T>(float)    rounding to nearest even
//
// DeviceExecution (device_execution.h) is the card's; the tests have one for the CPU, so that the same kernels are
// tried where there is no card.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "unianimate/nn/ops/kernels.h"

#ifdef __CUDACC__
#define UNIANIMATE_KERNEL __device__
#else
#define UNIANIMATE_KERNEL
#endif

namespace unianimate::nn {

/// Elements of 16 bits as they lie in memory.
struct Half {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

/// `kCount` elements that are read and written at once.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T elements[kCount];
};

constexpr int kWarp = 32;
constexpr int kPackBytes = 16;

/// How many elements go into one access to memory.
template <typename T>
constexpr int kPackOf = kPackBytes / static_cast<int>(sizeof(T));

/// call(T()) with the type of such elements.
template <typename Call>
void with_element(KernelElement element, const Call& call) {
  switch (element) {
    case KernelElement::kFloat:
      return call(float());
    case KernelElement::kBFloat16:
      return call(BFloat16());
    case KernelElement::kHalf:
      return call(Half());
  }
}

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

inline bool is_aligned(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % kPackBytes == 0;
}

/// The sum over the 32 threads, for all of them.
template <typename Execution, typename V>
UNIANIMATE_KERNEL V warp_sum(Execution& execution, V value) {
  const int lane = execution.thread() % kWarp;
  for (int step = kWarp / 2; step > 0; step /= 2) value += execution.shuffle(value, lane ^ step);
  return value;
}

template <typename Execution>
UNIANIMATE_KERNEL float warp_max(Execution& execution, float value) {
  const int lane = execution.thread() % kWarp;
  for (int step = kWarp / 2; step > 0; step /= 2) value = fmaxf(value, execution.shuffle(value, lane ^ step));
  return value;
}

}  // namespace unianimate::nn
