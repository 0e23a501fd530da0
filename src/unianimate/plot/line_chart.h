// Curves of numbers as a picture.
#pragma once

#include <string>
#include <vector>

#include "unianimate/media/pictures/image.h"

namespace unianimate::plot {

/// One curve: y[i] stands at x[i].
struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
};

/// Texts are ASCII; question marks stand for anything else.
struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_x = false;
  bool log_y = false;
  std::vector<Series> series;
};

inline constexpr int kChartWidth = 960;
inline constexpr int kChartHeight = 540;

/// On white: title, a legend where there is more than one curve, axes with round numbers that just hold all points, and
/// the curves, whose points are marked where they are few. A point that is not finite (or beyond 1e300), or not above 0
/// on a logarithmic axis, leaves a gap. Throws Error(kUsage) where a series' x and y differ in length, or unless the
/// picture is 320 to 8192 pixels wide and 200 to 8192 high.
Image draw_line_chart(const LineChart& chart, int width = kChartWidth, int height = kChartHeight);

}  // namespace unianimate::plot
