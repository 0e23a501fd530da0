#include "unianimate/plot/page.h"

#include <opencv2/imgproc.hpp>

namespace unianimate::plot {

namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr int kTextThickness = 1;

double font_scale(int height) {
  return cv::getFontScaleFromHeight(kFont, height, kTextThickness);
}

}  // namespace

int text_width(const std::string& text, int height) {
  int below = 0;
  return cv::getTextSize(text, kFont, font_scale(height), kTextThickness, &below).width;
}

void write_text(cv::Mat& page, const std::string& text, cv::Point at, int height, const cv::Scalar& colour,
                TextAlign align) {
  if (align == TextAlign::kCentre) at.x -= text_width(text, height) / 2;
  if (align == TextAlign::kRight) at.x -= text_width(text, height);
  cv::putText(page, text, at, kFont, font_scale(height), colour, kTextThickness, cv::LINE_AA);
}

}  // namespace unianimate::plot
