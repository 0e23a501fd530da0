// How fast the current phase goes and how long it still takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace unianimate::studio {

/// A moving average over the last reports, so that it follows a machine that becomes busy or free. Times are handed
/// in, never read.
class ProgressMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// A phase of `total` steps begins (0: not known).
  void begin(std::int64_t total, Time now);
  void step(std::int64_t done, Time now);

  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] std::int64_t done() const { return done_; }
  /// Nothing before two steps and a second of them: earlier numbers mean little.
  [[nodiscard]] std::optional<double> seconds_per_step() const;
  /// To the end of the phase; nothing where its total or the speed is not known.
  [[nodiscard]] std::optional<double> seconds_left(Time now) const;

 private:
  struct Sample {
    std::int64_t done;
    Time time;
  };

  std::int64_t total_ = 0;
  std::int64_t done_ = 0;
  std::deque<Sample> samples_;
};

/// For people: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
std::string format_duration(double seconds);

}  // namespace unianimate::studio
