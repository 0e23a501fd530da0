#include "unianimate/puppet/figure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "unianimate/plot/opencv_image.h"

namespace unianimate::puppet {

namespace {

using pose::Keypoints;
using pose::middle;
using pose::Point;

constexpr double kWhite = 255;

cv::Scalar scalar(const Colour& colour, double shade = 1) {
  const auto channel = [&](std::size_t i) { return std::clamp(colour[i] * shade, 0.0, 1.0) * kWhite; };
  return {channel(0), channel(1), channel(2)};
}

/// OpenCV's smooth drawing at fractions of a pixel.
class Brush {
 public:
  explicit Brush(Image& picture) : mat_(plot::pixels_of(picture)) {}

  void polygon(const std::vector<Point>& corners, const cv::Scalar& colour) {
    std::vector<std::vector<cv::Point>> outlines{std::vector<cv::Point>(corners.size())};
    std::ranges::transform(corners, outlines.front().begin(), to_fixed);
    cv::fillPoly(mat_, outlines, colour, cv::LINE_AA, kShift);
  }
  void disc(Point centre, double radius, const cv::Scalar& colour) {
    cv::circle(mat_, to_fixed(centre), fixed(std::max(radius, 0.3)), colour, cv::FILLED, cv::LINE_AA, kShift);
  }
  void ellipse(Point centre, double half_width, double half_height, double angle, const cv::Scalar& colour,
               double from = 0, double to = 360) {
    constexpr double kDegrees = 180 / std::numbers::pi;
    cv::ellipse(mat_, to_fixed(centre), {fixed(half_width), fixed(half_height)}, angle * kDegrees, from, to, colour,
                cv::FILLED, cv::LINE_AA, kShift);
  }
  /// A rounded limb that grows thinner.
  void limb(Point from, Point to, double radius_from, double radius_to, const cv::Scalar& colour) {
    const Point along = to - from;
    const double size = length(along);
    disc(from, radius_from, colour);
    disc(to, radius_to, colour);
    if (size <= 0) return;
    const Point across{-along.y / size, along.x / size};
    polygon(
        {from + across * radius_from, to + across * radius_to, to - across * radius_to, from - across * radius_from},
        colour);
  }
  void line(Point from, Point to, double thickness, const cv::Scalar& colour) {
    limb(from, to, thickness / 2, thickness / 2, colour);
  }

 private:
  static constexpr int kShift = 4;
  static int fixed(double value) {
    // Whatever is this far out cannot be seen.
    constexpr double kReach = 1e5;
    return static_cast<int>(std::lround(std::clamp(value, -kReach, kReach) * (1 << kShift)));
  }
  static cv::Point to_fixed(Point p) { return {fixed(p.x - 0.5), fixed(p.y - 0.5)}; }

  cv::Mat mat_;
};

Point between(Point a, Point b, double share) {
  return a + (b - a) * share;
}

/// One person on one picture.
class Painter {
 public:
  Painter(Image& picture, const Identity& identity, const Posture& posture, const Keypoints& points, double unit)
      : brush_(picture), who_(identity), posture_(posture), points_(points), unit_(unit) {}

  void paint() {
    const Side near = posture_.near_side;
    const Side far = near == kRight ? kLeft : kRight;
    constexpr double kFarShade = 0.8;
    if (who_.headwear == Headwear::kLongHair) long_hair();
    if (posture_.arm_behind) arm(far, kFarShade);
    leg(far, kFarShade);
    leg(near, 1);
    trunk();
    head();
    if (!posture_.arm_behind) arm(far, kFarShade);
    arm(near, 1);
  }

 private:
  [[nodiscard]] Point at(std::size_t index) const { return points_[index].at; }
  [[nodiscard]] double pixels(double share) const { return share * unit_; }

  /// A limb of skin with cloth over the first share of its two bones.
  void dressed_limb(std::array<Point, 3> joints, std::array<double, 3> radii, double covered, const Colour& cloth,
                    double shade) {
    const cv::Scalar skin = scalar(who_.skin, shade);
    brush_.limb(joints[0], joints[1], radii[0], radii[1], skin);
    brush_.limb(joints[1], joints[2], radii[1], radii[2], skin);
    if (covered <= 0) return;
    constexpr double kLoose = 1.12;
    const cv::Scalar fabric = scalar(cloth, shade);
    const double first = std::min(1.0, covered * 2);
    brush_.limb(joints[0], between(joints[0], joints[1], first), radii[0] * kLoose,
                std::lerp(radii[0], radii[1], first) * kLoose, fabric);
    const double second = covered * 2 - 1;
    if (second <= 0) return;
    brush_.limb(joints[1], between(joints[1], joints[2], second), radii[1] * kLoose,
                std::lerp(radii[1], radii[2], second) * kLoose, fabric);
  }

  void arm(Side side, double shade) {
    const std::size_t first = side == kRight ? pose::kRightShoulder : pose::kLeftShoulder;
    const double thick = pixels(who_.proportions.arm_thickness) / 2;
    hand(side, shade);
    dressed_limb({at(first), at(first + 1), at(first + 2)}, {thick, thick * 0.85, thick * 0.62},
                 who_.clothes.sleeves * 0.97, who_.clothes.shirt, shade);
  }

  void hand(Side side, double shade) {
    const std::size_t first = side == kRight ? pose::kRightHand : pose::kLeftHand;
    const cv::Scalar skin = scalar(who_.skin, shade);
    const double thick = pixels(who_.proportions.hand) * 0.24;
    constexpr std::size_t kMiddleKnuckle = 9;
    brush_.limb(at(first), at(first + kMiddleKnuckle), thick * 1.3, thick * 1.7, skin);
    for (std::size_t finger = 0; finger < 5; ++finger) {
      const std::size_t base = first + 1 + finger * 4;
      brush_.line(at(base), at(base + 3), thick, skin);
    }
  }

  void leg(Side side, double shade) {
    const std::size_t first = side == kRight ? pose::kRightHip : pose::kLeftHip;
    const std::size_t toe = side == kRight ? pose::kRightBigToe : pose::kLeftBigToe;
    const double thick = pixels(who_.proportions.leg_thickness) / 2;
    const Clothes& clothes = who_.clothes;
    dressed_limb({at(first), at(first + 1), at(first + 2)}, {thick * 1.1, thick * 0.85, thick * 0.6},
                 clothes.skirt ? 0 : clothes.trouser_legs * 0.97, clothes.trousers, shade);
    constexpr std::size_t kHeel = 2;
    brush_.limb(at(toe + kHeel), at(toe), thick * 0.55, thick * 0.6, scalar(clothes.shoes, shade));
    brush_.disc(at(first + 2), thick * 0.62, scalar(clothes.shoes, shade));
  }

  void trunk() {
    const Clothes& clothes = who_.clothes;
    const double thick = pixels(who_.proportions.arm_thickness) / 2;
    const Point right = at(pose::kRightShoulder);
    const Point left = at(pose::kLeftShoulder);
    const Point hips = middle(at(pose::kRightHip), at(pose::kLeftHip));
    const Point down = hips - at(pose::kNeck);
    const double size = std::max(length(down), 1e-3);
    const Point along = down * (1 / size);
    const Point across{along.y, -along.x};
    const double hip_width =
        (distance(at(pose::kRightHip), at(pose::kLeftHip)) / 2 + pixels(who_.proportions.leg_thickness) * 0.55) *
        who_.proportions.belly;
    const Point waist_right = hips - across * hip_width;
    const Point waist_left = hips + across * hip_width;
    if (clothes.skirt) {
      const double flare = hip_width * 1.6;
      const Point hem = hips + along * pixels(0.2);
      brush_.polygon({waist_right, waist_left, hem + across * flare, hem - across * flare}, scalar(clothes.trousers));
    } else {
      brush_.limb(at(pose::kRightHip), at(pose::kLeftHip), hip_width * 0.42, hip_width * 0.42,
                  scalar(clothes.trousers));
    }
    const cv::Scalar shirt = scalar(clothes.shirt);
    brush_.polygon({right, left, waist_left, waist_right}, shirt);
    brush_.line(right, left, 2 * thick, shirt);
    brush_.line(waist_right, waist_left, thick, shirt);
    pattern(right, left, waist_left, waist_right);
    if (clothes.belt) brush_.line(waist_right, waist_left, pixels(0.018), scalar({0.15, 0.12, 0.1}));
  }

  void pattern(Point top_right, Point top_left, Point low_left, Point low_right) {
    const cv::Scalar colour = scalar(who_.clothes.shirt_second);
    const auto on_shirt = [&](double x, double y) {
      return between(between(top_right, top_left, x), between(low_right, low_left, x), y);
    };
    const double thick = pixels(0.018);
    switch (who_.clothes.pattern) {
      case Pattern::kPlain:
        break;
      case Pattern::kStripes:
        for (const double x : {0.18, 0.39, 0.61, 0.82})
          brush_.line(on_shirt(x, 0.02), on_shirt(x, 0.97), thick, colour);
        break;
      case Pattern::kHoops:
        for (const double y : {0.15, 0.38, 0.61, 0.84})
          brush_.line(on_shirt(0.02, y), on_shirt(0.98, y), thick, colour);
        break;
      case Pattern::kDots:
        for (const double y : {0.2, 0.5, 0.8}) {
          for (const double x : {0.2, 0.5, 0.8}) brush_.disc(on_shirt(x, y), thick * 0.8, colour);
        }
        break;
    }
  }

  void head() {
    const double radius = pixels(who_.proportions.head);
    const Point centre = head_centre();
    const double tilt = head_tilt();
    const cv::Scalar skin = scalar(who_.skin);
    brush_.line(at(pose::kNeck), centre, radius * 0.85, scalar(who_.skin, 0.9));
    const cv::Scalar hair = scalar(who_.hair);
    const auto on_head = [&](double x, double y) { return on_head_of(centre, radius, tilt, x, y); };
    if (who_.headwear != Headwear::kBald) brush_.ellipse(on_head(0, -0.1), radius * 1.05, radius * 1.08, tilt, hair);
    if (who_.headwear == Headwear::kBun) brush_.disc(on_head(0, -1.25), radius * 0.42, hair);
    brush_.disc(at(pose::kRightEar), radius * 0.2, skin);
    brush_.disc(at(pose::kLeftEar), radius * 0.2, skin);
    brush_.ellipse(on_head(0, 0.1), radius * 0.9, radius * 0.98, tilt, skin);
    face(radius, tilt);
    if (who_.headwear == Headwear::kCap || who_.headwear == Headwear::kHat) {
      const cv::Scalar felt = scalar(who_.headwear_colour);
      brush_.ellipse(on_head(0, -0.42), radius * 1.02, radius * 0.75, tilt, felt, 180, 360);
      const double brim = who_.headwear == Headwear::kHat ? 1.5 : 1.1;
      brush_.line(on_head(-brim, -0.42), on_head(brim, -0.42), radius * 0.22, scalar(who_.headwear_colour, 0.75));
    } else if (who_.headwear != Headwear::kBald) {
      brush_.ellipse(on_head(0, -0.35), radius * 0.98, radius * 0.72, tilt, hair, 180, 360);
    }
  }

  void face(double radius, double tilt) {
    const Face& face = who_.face;
    const cv::Scalar white = scalar({0.97, 0.97, 0.97});
    const cv::Scalar dark = scalar(who_.hair, 0.7);
    constexpr std::size_t kRightBrow = pose::kFace + 17;
    constexpr std::size_t kLeftBrow = pose::kFace + 22;
    constexpr std::size_t kMouthRight = pose::kFace + 48;
    constexpr std::size_t kMouthLeft = pose::kFace + 54;
    const Point mouth = middle(at(kMouthRight), at(kMouthLeft));
    if (face.beard)
      brush_.ellipse(mouth + Point{0, radius * 0.12}, radius * 0.55, radius * 0.4, tilt, scalar(who_.hair));
    for (const std::size_t brow : {kRightBrow, kLeftBrow}) brush_.line(at(brow), at(brow + 4), radius * 0.1, dark);
    for (const std::size_t eye : {std::size_t{pose::kRightEye}, std::size_t{pose::kLeftEye}}) {
      if (face.glasses) brush_.disc(at(eye), radius * 0.28, scalar({0.12, 0.12, 0.14}));
      brush_.ellipse(at(eye), radius * 0.2, radius * 0.15, tilt, white);
      brush_.disc(at(eye), radius * 0.11, scalar(face.eyes));
    }
    brush_.line(at(pose::kNose) - Point{0, radius * 0.12}, at(pose::kNose), radius * 0.12, scalar(who_.skin, 0.8));
    brush_.line(at(kMouthRight), at(kMouthLeft), radius * 0.16, scalar(face.lips));
  }

  void long_hair() {
    const double radius = pixels(who_.proportions.head);
    const Point centre = head_centre();
    const cv::Scalar hair = scalar(who_.hair, 0.9);
    brush_.limb(centre, centre + (at(pose::kNeck) - centre) * 1.25, radius * 1.05, radius * 0.95, hair);
  }

  /// The middle of the ears, and the line between them.
  [[nodiscard]] Point head_centre() const { return middle(at(pose::kRightEar), at(pose::kLeftEar)); }
  [[nodiscard]] double head_tilt() const {
    const Point line = at(pose::kLeftEar) - at(pose::kRightEar);
    return std::atan2(line.y, line.x);
  }
  static Point on_head_of(Point centre, double radius, double tilt, double x, double y) {
    const Point p{x * radius, y * radius};
    return centre + Point{p.x * std::cos(tilt) - p.y * std::sin(tilt), p.x * std::sin(tilt) + p.y * std::cos(tilt)};
  }

  Brush brush_;
  const Identity& who_;
  const Posture& posture_;
  const Keypoints& points_;
  double unit_;
};

}  // namespace

Image draw_background(const Background& background, int width, int height) {
  Image image(width, height);
  const auto floor_row = static_cast<int>(background.horizon * height);
  for (int y = 0; y < height; ++y) {
    Colour colour = background.first;
    if (background.kind == BackgroundKind::kFloor && y >= floor_row) colour = background.second;
    if (background.kind == BackgroundKind::kGradient) {
      const double share = static_cast<double>(y) / std::max(1, height - 1);
      for (std::size_t i = 0; i < colour.size(); ++i) {
        colour[i] = std::lerp(background.first[i], background.second[i], share);
      }
    }
    auto row = image.row(y);
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<std::uint8_t>(std::lround(colour[i % Image::kChannels] * kWhite));
    }
  }
  Brush brush(image);
  for (int i = 0; i < background.shape_count; ++i) {
    const BackgroundShape& shape = background.shapes[static_cast<std::size_t>(i)];
    const Point centre{shape.x * width, shape.y * height};
    const Point half{shape.half_width * width, shape.half_height * height};
    if (shape.round) {
      brush.ellipse(centre, half.x, half.y, 0, scalar(shape.colour));
    } else {
      brush.polygon({centre - half, centre + Point{half.x, -half.y}, centre + half, centre + Point{-half.x, half.y}},
                    scalar(shape.colour));
    }
  }
  return image;
}

void draw_person(Image& picture, const Identity& identity, const Posture& posture, const Keypoints& points,
                 double unit) {
  Painter(picture, identity, posture, points, unit).paint();
}

std::vector<std::uint8_t> figure_mask(int width, int height, const Identity& identity, const Posture& posture,
                                      const Keypoints& points, double unit) {
  constexpr std::uint8_t kBright = 255;
  Image on_black(width, height);
  Image on_white(width, height);
  std::ranges::fill(on_white.pixels, kBright);
  draw_person(on_black, identity, posture, points, unit);
  draw_person(on_white, identity, posture, points, unit);
  // What shows of the background is what differs between the two.
  std::vector<std::uint8_t> mask(on_black.pixels.size() / Image::kChannels);
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const std::size_t first = i * Image::kChannels;
    int shows = 0;
    for (std::size_t channel = first; channel < first + Image::kChannels; ++channel) {
      shows += on_white.pixels[channel] - on_black.pixels[channel];
    }
    mask[i] = 2 * shows <= Image::kChannels * kBright ? kBright : 0;
  }
  return mask;
}

}  // namespace unianimate::puppet
