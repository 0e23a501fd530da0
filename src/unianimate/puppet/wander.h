// Inside puppet: smooth random movement.
#pragma once

#include <cmath>
#include <numbers>

#include "unianimate/core/random_stream.h"

namespace unianimate::puppet {

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
