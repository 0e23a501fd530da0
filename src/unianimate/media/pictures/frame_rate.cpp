#include "unianimate/media/pictures/frame_rate.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace unianimate {

namespace {

struct Intervals {
  double sum = 0;
  std::size_t count = 0;

  [[nodiscard]] double mean() const { return sum / static_cast<double>(count); }
};

/// Those between median / factor and median * factor.
Intervals around(double median, double factor, std::span<const double> intervals) {
  Intervals result;
  for (const double interval : intervals) {
    if (interval < median / factor || interval > median * factor) continue;
    result.sum += interval;
    ++result.count;
  }
  return result;
}

}  // namespace

double frame_rate(std::span<const double> seconds, double told) {
  constexpr double kNear = 1.35;
  constexpr double kTakingTurns = 2;
  constexpr double kMostAreNear = 0.6;
  constexpr double kSlowest = 0.1;
  constexpr double kFastest = 1000;
  constexpr double kUsual = 25;
  constexpr double kAgrees = 0.01;
  constexpr double kDigits = 1e6;
  std::vector<double> intervals;
  for (std::size_t i = 1; i < seconds.size(); ++i) {
    if (seconds[i] > seconds[i - 1]) intervals.push_back(seconds[i] - seconds[i - 1]);
  }
  if (intervals.empty()) return told > 0 ? told : kUsual;
  const auto middle = intervals.begin() + std::ssize(intervals) / 2 - (std::ssize(intervals) % 2 == 0 ? 1 : 0);
  std::ranges::nth_element(intervals, middle);
  const double median = *middle;
  const Intervals near = around(median, kNear, intervals);
  const bool most = static_cast<double>(near.count) > kMostAreNear * static_cast<double>(intervals.size());
  const double measured = 1 / (most ? near : around(median, kTakingTurns, intervals)).mean();
  if (told > 0 && std::abs(measured / told - 1) < kAgrees) return told;
  return std::clamp(std::round(measured * kDigits) / kDigits, kSlowest, kFastest);
}

}  // namespace unianimate
