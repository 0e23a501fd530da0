#include "unianimate/plot/axis.h"

#include <algorithm>
#include <cmath>

namespace unianimate::plot {

namespace {

constexpr double kTen = 10;
/// By how much a tick may miss an end, in steps.
constexpr double kRounding = 1e-6;

std::vector<double> linear_ticks(double least, double most, int count) {
  const double step = tick_step(most - least, count);
  std::vector<double> ticks;
  if (!(step > 0)) return {least};
  const double first = std::ceil(least / step - kRounding);
  const double last = std::floor(most / step + kRounding);
  for (int i = 0; i <= count && first + i <= last; ++i) ticks.push_back((first + i) * step + 0.0);
  return ticks;
}

std::vector<double> logarithmic_ticks(double least, double most, int count) {
  const double first = std::floor(std::log10(least));
  const double last = std::ceil(std::log10(most));
  const double stride = std::max(1.0, std::ceil((last - first) / count));
  std::vector<double> decades;
  std::vector<double> all;
  for (int i = 0; i <= count && first + i * stride <= last; ++i) {
    const double decade = std::pow(kTen, first + i * stride);
    for (const double factor : {1, 2, 5}) {
      const double tick = factor * decade;
      if (tick < least * (1 - kRounding) || tick > most * (1 + kRounding)) continue;
      all.push_back(tick);
      if (factor == 1) decades.push_back(tick);
    }
  }
  return stride == 1 && all.size() <= static_cast<std::size_t>(count) ? all : decades;
}

}  // namespace

double tick_step(double range, int most) {
  if (!(range > 0)) return 0;
  const double decade = std::pow(kTen, std::floor(std::log10(range / most)));
  for (const double factor : {1, 2, 5}) {
    if (range <= factor * decade * most * (1 + kRounding)) return factor * decade;
  }
  return kTen * decade;
}

Axis::Axis(double least, double most, bool logarithmic) : logarithmic_(logarithmic), least_(least), most_(most) {
  if (least_ < most_) return;
  constexpr double kHalf = 0.5;
  const double apart = least_ == 0 ? kHalf : kHalf * std::abs(least_);
  least_ -= apart;
  most_ += apart;
}

double Axis::scaled(double value) const {
  return logarithmic_ ? std::log10(value) : value;
}

double Axis::share(double value) const {
  return (scaled(value) - scaled(least_)) / (scaled(most_) - scaled(least_));
}

std::vector<double> Axis::ticks(int most) const {
  constexpr std::size_t kFew = 2;
  if (logarithmic_) {
    std::vector<double> ticks = logarithmic_ticks(least_, most_, most);
    if (ticks.size() >= kFew) return ticks;
  }
  return linear_ticks(least_, most_, most);
}

}  // namespace unianimate::plot
