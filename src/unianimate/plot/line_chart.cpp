#include "unianimate/plot/line_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "unianimate/core/error.h"
#include "unianimate/plot/axis.h"
#include "unianimate/plot/page.h"

namespace unianimate::plot {

namespace {

// Of the page, in pixels.
constexpr int kMargin = 20;
constexpr int kTitleHeight = 26;
constexpr int kLineHeight = 22;
constexpr int kTick = 4;
constexpr int kGap = 8;
constexpr int kSwatch = 22;
constexpr int kAfterText = 24;
/// Pixels for each tick label, across and down.
constexpr int kTickWidth = 80;
constexpr int kTickHeight = 44;
constexpr int kThickness = 2;

const cv::Scalar kGrid = cv::Scalar::all(226);
const cv::Scalar kAxisColour = cv::Scalar::all(120);

/// Told apart with any colour vision (Okabe and Ito, 2008), darker where they were too pale for lines.
const std::array<cv::Scalar, 8> kColours{{{0, 114, 178},
                                          {213, 94, 0},
                                          {0, 158, 115},
                                          {204, 121, 167},
                                          {230, 159, 0},
                                          {86, 180, 233},
                                          {70, 70, 70},
                                          {150, 140, 30}}};

const cv::Scalar& colour_of(std::size_t series) {
  return kColours[series % kColours.size()];
}

void check(const LineChart& chart, int width, int height) {
  constexpr int kLeastWidth = 320;
  constexpr int kLeastHeight = 200;
  constexpr int kMostSide = 8192;
  if (width < kLeastWidth || height < kLeastHeight || std::max(width, height) > kMostSide) {
    throw Error(ErrorKind::kUsage, "a chart is {} to {} pixels wide and {} to {} high, but is to be {}x{}", kLeastWidth,
                kMostSide, kLeastHeight, kMostSide, width, height);
  }
  for (const Series& series : chart.series) {
    if (series.x.size() == series.y.size()) continue;
    throw Error(ErrorKind::kUsage, "the curve '{}' has {} values of x and {} of y", printable(series.name),
                series.x.size(), series.y.size());
  }
}

bool can_be_shown(double value, bool logarithmic) {
  constexpr double kHuge = 1e300;
  return std::abs(value) < kHuge && (!logarithmic || value > 0);
}

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();

  void add(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  /// A little wider, so that no curve touches the frame; 0 … 1 or 1 … 10 where there is nothing.
  [[nodiscard]] Axis axis(bool logarithmic, double room) const {
    if (!(least <= most)) return logarithmic ? Axis(1, 10, true) : Axis(0, 1, false);
    if (!logarithmic) return {least - room * (most - least), most + room * (most - least), false};
    const double factor = std::pow(most / least, room);
    return {least / factor, most * factor, true};
  }
};

std::string tick_label(double value) {
  return fmt::format("{:.6g}", value);
}

class ChartPainter {
 public:
  ChartPainter(const LineChart& chart, Image& image)
      : chart_(chart), page_(pixels_of(image)), x_axis_(0, 1, false), y_axis_(0, 1, false) {
    Range x_range;
    Range y_range;
    for (const Series& series : chart.series) {
      for (std::size_t i = 0; i < series.x.size(); ++i) {
        if (!shown(series, i)) continue;
        x_range.add(series.x[i]);
        y_range.add(series.y[i]);
      }
    }
    constexpr double kRoom = 0.05;
    x_axis_ = x_range.axis(chart.log_x, 0);
    y_axis_ = y_range.axis(chart.log_y, kRoom);
  }

  void paint() {
    page_.setTo(kWhite);
    int top = kMargin;
    if (!chart_.title.empty()) {
      write_text(page_, chart_.title, {kMargin, top + kTitleText}, kTitleText);
      top += kTitleHeight;
    }
    if (chart_.series.size() > 1) top = legend(top);
    if (!chart_.y_label.empty()) {
      write_text(page_, chart_.y_label, {kMargin, top + kText}, kText, kAxisColour);
      top += kLineHeight;
    }
    frame(top);
    for (std::size_t i = 0; i < chart_.series.size(); ++i) curve(i);
  }

 private:
  [[nodiscard]] bool shown(const Series& series, std::size_t i) const {
    return can_be_shown(series.x[i], chart_.log_x) && can_be_shown(series.y[i], chart_.log_y);
  }

  /// Entries from left to right, in as many lines as they need; returns where the next thing may begin.
  int legend(int top) {
    int left = kMargin;
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const std::string& name = chart_.series[i].name;
      const int width = kSwatch + kGap + text_width(name, kText);
      if (left > kMargin && left + width > page_.cols - kMargin) {
        left = kMargin;
        top += kLineHeight;
      }
      cv::line(page_, {left, top + kText / 2}, {left + kSwatch, top + kText / 2}, colour_of(i), kThickness + 1);
      if (i >= kColours.size()) mark({(left + kSwatch / 2) << kShift, (top + kText / 2) << kShift}, i);
      write_text(page_, name, {left + kSwatch + kGap, top + kText}, kText);
      left += width + kAfterText;
    }
    return top + kLineHeight;
  }

  void frame(int top) {
    const int bottom = page_.rows - kMargin - kLineHeight - (chart_.x_label.empty() ? 0 : kLineHeight);
    const std::vector<double> y_ticks = y_axis_.ticks(std::max(2, (bottom - top) / kTickHeight));
    int widest = 0;
    for (const double tick : y_ticks) widest = std::max(widest, text_width(tick_label(tick), kText));
    const int left = kMargin + widest + kGap;
    area_ = {left, top, page_.cols - kMargin - left, bottom - top};
    for (const double tick : y_ticks) {
      const int y = static_cast<int>(std::lround(at_y(tick)));
      cv::line(page_, {left, y}, {left + area_.width, y}, kGrid);
      write_text(page_, tick_label(tick), {left - kGap, y + kText / 2}, kText, kInk, TextAlign::kRight);
    }
    for (const double tick : x_axis_.ticks(std::max(2, area_.width / kTickWidth))) {
      const int x = static_cast<int>(std::lround(at_x(tick)));
      cv::line(page_, {x, top}, {x, bottom + kTick}, kGrid);
      write_text(page_, tick_label(tick), {x, bottom + kGap + kText}, kText, kInk, TextAlign::kCentre);
    }
    cv::rectangle(page_, {left, top, area_.width + 1, area_.height + 1}, kAxisColour);
    write_text(page_, chart_.x_label, {left + area_.width / 2, page_.rows - kMargin}, kText, kAxisColour,
               TextAlign::kCentre);
  }

  /// Where colours come again, the marks are others.
  void mark(cv::Point at, std::size_t series) {
    constexpr int kRadius = 4 << kShift;
    constexpr int kMarks = 4;
    const cv::Scalar& colour = colour_of(series);
    const auto polygon = [&](std::vector<cv::Point> corners) {
      for (cv::Point& corner : corners) corner += at;
      cv::fillConvexPoly(page_, corners, colour, cv::LINE_AA, kShift);
    };
    switch (series / kColours.size() % kMarks) {
      case 1:
        return polygon({{-kRadius, -kRadius}, {kRadius, -kRadius}, {kRadius, kRadius}, {-kRadius, kRadius}});
      case 2:
        return polygon({{0, -kRadius}, {kRadius, kRadius}, {-kRadius, kRadius}});
      case 3:
        return polygon({{0, -2 * kRadius}, {kRadius, 0}, {0, 2 * kRadius}, {-kRadius, 0}});
      default:
        cv::circle(page_, at, kRadius, colour, cv::FILLED, cv::LINE_AA, kShift);
    }
  }

  void curve(std::size_t number) {
    constexpr std::size_t kMostMarked = 60;
    const Series& series = chart_.series[number];
    const cv::Scalar& colour = colour_of(number);
    const bool marked = series.x.size() <= kMostMarked;
    const int thickness = marked ? kThickness : 1;
    std::vector<cv::Point> points;
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!shown(series, i)) {
        line_through(points, colour, thickness);
        continue;
      }
      points.push_back(fixed(at_x(series.x[i]), at_y(series.y[i])));
      if (marked) mark(points.back(), number);
    }
    line_through(points, colour, thickness);
  }

  /// And forgets them.
  void line_through(std::vector<cv::Point>& points, const cv::Scalar& colour, int thickness) {
    if (points.size() == 1) points.push_back(points.front());
    if (!points.empty()) cv::polylines(page_, points, false, colour, thickness, cv::LINE_AA, kShift);
    points.clear();
  }

  [[nodiscard]] double at_x(double value) const { return area_.x + x_axis_.share(value) * area_.width; }
  [[nodiscard]] double at_y(double value) const { return area_.y + (1 - y_axis_.share(value)) * area_.height; }

  /// Fractions of a pixel for OpenCV.
  static constexpr int kShift = 4;
  static cv::Point fixed(double x, double y) {
    return {static_cast<int>(std::lround(x * (1 << kShift))), static_cast<int>(std::lround(y * (1 << kShift)))};
  }

  const LineChart& chart_;
  cv::Mat page_;
  Axis x_axis_;
  Axis y_axis_;
  cv::Rect area_;  ///< of the curves
};

}  // namespace

Image draw_line_chart(const LineChart& chart, int width, int height) {
  check(chart, width, height);
  Image image(width, height);
  ChartPainter(chart, image).paint();
  return image;
}

}  // namespace unianimate::plot
