#include "unianimate/studio/progress_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace unianimate::studio {

namespace {

constexpr std::size_t kSamples = 16;
constexpr std::chrono::milliseconds kBetweenSamples{250};
constexpr double kShortestMeasurement = 1.0;
constexpr std::int64_t kFewestSteps = 2;

double seconds_between(ProgressMeter::Time from, ProgressMeter::Time to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

void ProgressMeter::begin(std::int64_t total, Time now) {
  total_ = total;
  done_ = 0;
  samples_ = {{0, now}};
}

void ProgressMeter::step(std::int64_t done, Time now) {
  done_ = done;
  if (samples_.empty() || now - samples_.back().time < kBetweenSamples) return;
  samples_.push_back({done, now});
  if (samples_.size() > kSamples) samples_.pop_front();
}

std::optional<double> ProgressMeter::seconds_per_step() const {
  if (samples_.empty()) return std::nullopt;
  const std::int64_t steps = samples_.back().done - samples_.front().done;
  const double seconds = seconds_between(samples_.front().time, samples_.back().time);
  if (steps < kFewestSteps || seconds < kShortestMeasurement) return std::nullopt;
  return seconds / static_cast<double>(steps);
}

std::optional<double> ProgressMeter::seconds_left(Time now) const {
  const std::optional<double> each = seconds_per_step();
  if (!each || total_ == 0) return std::nullopt;
  const Sample& last = samples_.back();
  return std::max(0.0, static_cast<double>(total_ - last.done) * *each - seconds_between(last.time, now));
}

std::string format_duration(double seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 3600;
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const std::int64_t whole = std::llround(seconds);
  if (whole < kMinute) return fmt::format("{} s", whole);
  if (whole < kHour) return fmt::format("{} min {} s", whole / kMinute, whole % kMinute);
  return fmt::format("{} h {} min", whole / kHour, whole % kHour / kMinute);
}

}  // namespace unianimate::studio
