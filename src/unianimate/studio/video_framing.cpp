#include "unianimate/studio/video_framing.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "unianimate/core/error.h"

namespace unianimate::studio {

namespace {

/// Grows around points.
class Box {
 public:
  void add(double x, double y) {
    left_ = std::min(left_, x);
    right_ = std::max(right_, x);
    top_ = std::min(top_, y);
    bottom_ = std::max(bottom_, y);
  }

  /// As shares of a picture, within it.
  [[nodiscard]] Framing with_head_and_feet(PictureSize picture) const {
    constexpr double kAboveEyes = 0.1;
    constexpr double kBelowAnkles = 0.06;
    if (!(left_ < right_ && top_ < bottom_)) return {};
    const double height = bottom_ - top_;
    const auto share = [](double at, int size) { return std::clamp(at / size, 0.0, 1.0); };
    const Framing box{share(left_, picture.width), share(top_ - kAboveEyes * height, picture.height),
                      share(right_, picture.width), share(bottom_ + kBelowAnkles * height, picture.height)};
    return box.left < box.right && box.top < box.bottom ? box : Framing{};
  }

 private:
  double left_ = std::numeric_limits<double>::infinity();
  double top_ = left_;
  double right_ = -left_;
  double bottom_ = -left_;
};

}  // namespace

Framing person_in(const pose::Keypoints& keypoints, PictureSize picture) {
  const bool shows_feet = keypoints[pose::kRightAnkle].seen() || keypoints[pose::kLeftAnkle].seen();
  Box box;
  for (std::size_t i = 0; i < keypoints.size(); ++i) {
    const bool is_knee = i == pose::kRightKnee || i == pose::kLeftKnee;
    const pose::Keypoint& point = keypoints[i];
    if (point.seen() && (shows_feet || !is_knee)) box.add(point.at.x, point.at.y);
  }
  return box.with_head_and_feet(picture);
}

Framing person_in(const Image& pose_picture) {
  // JPEG files are not quite black around lines.
  constexpr int kDrawn = 48;
  Box box;
  for (int y = 0; y < pose_picture.height; ++y) {
    const auto row = pose_picture.row(y);
    for (int x = 0; x < pose_picture.width; ++x) {
      const auto pixel = row.subspan(static_cast<std::size_t>(x) * Image::kChannels, Image::kChannels);
      if (std::ranges::max(pixel) >= kDrawn) box.add(x, y);
    }
  }
  return box.with_head_and_feet({pose_picture.width, pose_picture.height});
}

Framing framing_of(const VideoFrame& frame, const pose::ReferencePose& person) {
  const PictureSize picture{person.width, person.height};
  return frame_for(frame.fit, picture, frame.size, person_in(person.keypoints, picture));
}

pose::Canvas canvas_for(const Framing& framing, PictureSize video) {
  constexpr double kPixels = static_cast<double>(pose::kCanvasWidth) * pose::kCanvasHeight;
  constexpr double kSmallestSide = 16;
  constexpr double kLargestSide = 8192;
  const auto side = [&](double length) {
    return static_cast<int>(std::clamp(std::round(length), kSmallestSide, kLargestSide));
  };
  const double height = std::sqrt(kPixels / video.aspect());
  return {side(height * video.aspect() / (framing.right - framing.left)),
          side(height / (framing.bottom - framing.top))};
}

}  // namespace unianimate::studio

namespace unianimate::fields {

std::string TextForm<studio::SizeChoice>::text(const studio::SizeChoice& size) {
  return size.pixels ? fmt::format("{}x{}", size.pixels->width, size.pixels->height) : "auto";
}

studio::SizeChoice TextForm<studio::SizeChoice>::parse(std::string_view text) {
  if (text == "auto") return {};
  PictureSize size;
  if (const auto expected = read_value_text(text, SizeValue{&size.width, &size.height}, "size")) {
    throw Error(ErrorKind::kUsage, "--size expects auto or {}, found '{}'", *expected, printable(text));
  }
  return {size};
}

}  // namespace unianimate::fields
