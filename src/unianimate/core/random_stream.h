// Random numbers that are the same on every machine, for all that is not a tensor.
#pragma once

#include <concepts>
#include <cstdint>

namespace unianimate {

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): streams of different seeds have nothing to do with each other.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }
  /// low … high.
  double uniform(double low = 0, double high = 1) {
    constexpr double kUnit = 0x1.0p-53;
    return low + (high - low) * static_cast<double>(next() >> 11U) * kUnit;
  }
  /// 0 … count − 1.
  template <std::integral Count>
  Count below(Count count) {
    return static_cast<Count>(uniform(0, static_cast<double>(count)));
  }
  bool chance(double probability) { return uniform() < probability; }

 private:
  std::uint64_t state_;
};

/// A number that has nothing to do with that of any other pair.
inline std::uint64_t mixed_seed(std::uint64_t seed, std::uint64_t stream) {
  RandomStream first(seed);
  return RandomStream(first.next() ^ stream).next();
}

}  // namespace unianimate
