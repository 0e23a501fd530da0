// Numbers along one side of a chart.
#pragma once

#include <vector>

namespace unianimate::plot {

/// The least of 1, 2 and 5 times a power of ten that divides `range` into at most `most` parts; 0 for a range that is
/// not above 0.
double tick_step(double range, int most);

/// From `least` to `most` on a linear or logarithmic scale.
class Axis {
 public:
  /// Equal ends are moved apart. A logarithmic axis needs least > 0.
  Axis(double least, double most, bool logarithmic);

  /// 0 at the least value, 1 at the most.
  [[nodiscard]] double share(double value) const;
  /// Round numbers within the axis, about `most` at most, in order. On a logarithmic axis powers of ten, and 2 and 5
  /// times them where there are few.
  [[nodiscard]] std::vector<double> ticks(int most) const;

 private:
  [[nodiscard]] double scaled(double value) const;

  bool logarithmic_;
  double least_;
  double most_;
};

}  // namespace unianimate::plot
