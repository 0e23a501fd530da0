// Writing on pictures.
#pragma once

#include <opencv2/core.hpp>
#include <string>

#include "unianimate/plot/opencv_image.h"

namespace unianimate::plot {

// Colours that several pictures share.
inline const cv::Scalar kWhite = cv::Scalar::all(255);
inline const cv::Scalar kInk = cv::Scalar::all(50);

// Heights of text on pages, in pixels.
constexpr int kTitleText = 13;
constexpr int kText = 10;

enum class TextAlign { kLeft, kCentre, kRight };

/// Smooth text on a base line through `at`, which is its left end, its middle or its right end. Capitals are `height`
/// pixels high. Question marks stand for what is not ASCII.
void write_text(cv::Mat& page, const std::string& text, cv::Point at, int height, const cv::Scalar& colour = kInk,
                TextAlign align = TextAlign::kLeft);
int text_width(const std::string& text, int height);

}  // namespace unianimate::plot
