#include "unianimate/pose/detect/dwpose/whole_body.h"

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>

#include "unianimate/plot/opencv_image.h"

namespace unianimate::pose::dwpose {

namespace {

constexpr std::array<float, 3> kMeans{123.675F, 116.28F, 103.53F};
constexpr std::array<float, 3> kDeviations{58.395F, 57.12F, 57.375F};

struct Maximum {
  double at = 0;  ///< crop pixels
  float score = 0;
};

Maximum maximum(std::span<const float> scores) {
  const auto best = std::ranges::max_element(scores);
  return {static_cast<double>(best - scores.begin()) / 2, *best};
}

}  // namespace

NetworkInterface whole_body_interface() {
  return {{1, 3, kCropHeight, kCropWidth},
          {{"simcc_x", {1, kWholeBodyPoints, kSimccX}}, {"simcc_y", {1, kWholeBodyPoints, kSimccY}}}};
}

CropFrame crop_frame(const Box& box) {
  constexpr double kPadding = 1.25;
  constexpr double kAspect = static_cast<double>(kCropWidth) / kCropHeight;
  CropFrame frame{box.centre(), box.width() * kPadding, box.height() * kPadding};
  if (frame.width > frame.height * kAspect) {
    frame.height = frame.width / kAspect;
  } else {
    frame.width = frame.height * kAspect;
  }
  return frame;
}

void fill_whole_body_input(const Image& picture, const CropFrame& frame, std::span<float> input) {
  const double scale = kCropWidth / frame.width;
  const cv::Matx23d to_crop(scale, 0, kCropWidth / 2.0 - scale * frame.centre.x,  //
                            0, scale, kCropHeight / 2.0 - scale * frame.centre.y);
  const cv::Mat whole = plot::pixels_of(picture);
  cv::Mat crop;
  cv::warpAffine(whole, crop, to_crop, {kCropWidth, kCropHeight}, cv::INTER_LINEAR);
  constexpr std::size_t kPlane = std::size_t{kCropWidth} * kCropHeight;
  const std::uint8_t* pixel = crop.data;
  for (std::size_t i = 0; i < kPlane; ++i, pixel += Image::kChannels) {
    for (std::size_t channel = 0; channel < Image::kChannels; ++channel) {
      input[channel * kPlane + i] = (pixel[Image::kChannels - 1 - channel] - kMeans[channel]) / kDeviations[channel];
    }
  }
}

WholeBody read_whole_body(std::span<const float> simcc_x, std::span<const float> simcc_y, const CropFrame& frame) {
  WholeBody points{};
  for (std::size_t i = 0; i < kWholeBodyPoints; ++i) {
    const Maximum x = maximum(simcc_x.subspan(i * kSimccX, kSimccX));
    const Maximum y = maximum(simcc_y.subspan(i * kSimccY, kSimccY));
    const double score = std::min(x.score, y.score);
    const Point in_crop = score > 0 ? Point{x.at, y.at} : Point{-0.5, -0.5};
    points[i] = {{in_crop.x / kCropWidth * frame.width + frame.centre.x - frame.width / 2,
                  in_crop.y / kCropHeight * frame.height + frame.centre.y - frame.height / 2},
                 score};
  }
  return points;
}

}  // namespace unianimate::pose::dwpose
