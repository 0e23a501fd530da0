// Inside puppet: random numbers that are the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace unianimate::puppet {

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
  int below(int count) { return static_cast<int>(uniform(0, count)); }
  bool chance(double probability) { return uniform() < probability; }

 private:
  std::uint64_t state_;
};

/// A smooth movement around 0 that does not repeat soon: a few sines of unlike periods, within −1 … 1.
class Wander {
 public:
  /// `seconds`: about how long one swing takes.
  Wander(RandomStream& random, double seconds) {
    for (Sine& sine : sines_) {
      sine.hertz = random.uniform(0.6, 1.6) / seconds;
      sine.phase = random.uniform(0, 2 * std::numbers::pi);
      seconds *= 0.6;
    }
  }
  [[nodiscard]] double at(double time) const {
    double sum = 0;
    double amplitude = 0.6;
    for (const Sine& sine : sines_) {
      sum += amplitude * std::sin(2 * std::numbers::pi * sine.hertz * time + sine.phase);
      amplitude *= 0.5;
    }
    return sum;
  }

 private:
  struct Sine {
    double hertz = 1;
    double phase = 0;
  };
  Sine sines_[2];
};

}  // namespace unianimate::puppet
