#include "unianimate/pose/draw/drawing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "unianimate/plot/opencv_image.h"

namespace unianimate::pose {

namespace {

/// Body points and the middles of the toes; absent where not seen.
using DrawnBody = std::array<std::optional<Point>, kDrawnPoints>;

struct Limb {
  std::size_t from;
  std::size_t to;
};
constexpr std::array<Limb, 19> kLimbs{{{kNeck, kRightShoulder},
                                       {kNeck, kLeftShoulder},
                                       {kRightShoulder, kRightElbow},
                                       {kRightElbow, kRightWrist},
                                       {kLeftShoulder, kLeftElbow},
                                       {kLeftElbow, kLeftWrist},
                                       {kNeck, kRightHip},
                                       {kRightHip, kRightKnee},
                                       {kRightKnee, kRightAnkle},
                                       {kNeck, kLeftHip},
                                       {kLeftHip, kLeftKnee},
                                       {kLeftKnee, kLeftAnkle},
                                       {kNeck, kNose},
                                       {kNose, kRightEye},
                                       {kRightEye, kRightEar},
                                       {kNose, kLeftEye},
                                       {kLeftEye, kLeftEar},
                                       {kLeftAnkle, kLeftToes},
                                       {kRightAnkle, kRightToes}}};

// The published list, red first: of the limbs and of the joints.
constexpr std::array<std::array<std::uint8_t, 3>, kDrawnPoints> kColours{
    {{255, 0, 0},   {255, 85, 0},  {255, 170, 0}, {255, 255, 0}, {170, 255, 0},   {85, 255, 0}, {0, 255, 0},
     {0, 255, 85},  {0, 255, 170}, {0, 255, 255}, {0, 170, 255}, {0, 85, 255},    {0, 0, 255},  {85, 0, 255},
     {170, 0, 255}, {255, 0, 255}, {255, 0, 170}, {255, 0, 85},  {170, 255, 255}, {255, 255, 0}}};

constexpr std::array<std::array<std::size_t, 5>, 5> kFingers{
    {{0, 1, 2, 3, 4}, {0, 5, 6, 7, 8}, {0, 9, 10, 11, 12}, {0, 13, 14, 15, 16}, {0, 17, 18, 19, 20}}};
constexpr std::size_t kHandEdges = 20;

/// Widths in pixels.
struct Pen {
  double limb = 4;  ///< half the width of a limb
  double joint = 4;
  double finger = 2;
};

/// Draws on a picture in the colours of one channel order.
class Canvas {
 public:
  Canvas(Image& image, bool red_first, Pen pen)
      : image_(image), mat_(plot::pixels_of(image)), red_first_(red_first), pen_(pen) {}

  void limb(Point from, Point to, std::size_t colour) {
    const Point centre = middle(from, to);
    const Point along = from - to;
    const double degrees = std::atan2(along.y, along.x) * (180.0 / std::numbers::pi);
    constexpr int kFullTurn = 360;
    std::vector<cv::Point> outline;
    cv::ellipse2Poly(truncated(centre), {static_cast<int>(length(along) / 2), static_cast<int>(pen_.limb)},
                     static_cast<int>(degrees), 0, kFullTurn, 1, outline);
    cv::fillConvexPoly(mat_, outline, listed(colour));
  }

  void dim() {
    constexpr double kLeft = 0.6;
    for (std::uint8_t& value : image_.pixels) value = static_cast<std::uint8_t>(value * kLeft);
  }

  void joint(Point at, std::size_t colour) { disc(at, listed(colour)); }

  void finger(Point from, Point to, std::size_t edge) {
    cv::line(mat_, truncated(from), truncated(to), hue(static_cast<double>(edge) / kHandEdges),
             static_cast<int>(pen_.finger));
  }
  void finger_point(Point at) { disc(at, colour_of(0, 0, 255)); }

 private:
  static cv::Point truncated(Point p) { return {static_cast<int>(p.x), static_cast<int>(p.y)}; }

  void disc(Point at, const cv::Scalar& colour) {
    cv::circle(mat_, truncated(at), static_cast<int>(pen_.joint), colour, cv::FILLED);
  }

  [[nodiscard]] cv::Scalar colour_of(double red, double green, double blue) const {
    return red_first_ ? cv::Scalar(red, green, blue) : cv::Scalar(blue, green, red);
  }
  [[nodiscard]] cv::Scalar listed(std::size_t index) const {
    const auto& colour = kColours[index];
    return colour_of(colour[0], colour[1], colour[2]);
  }
  /// HSV with full saturation and value, in the published order of operations; OpenCV rounds.
  [[nodiscard]] cv::Scalar hue(double turn) const {
    constexpr double kWhite = 255;
    const double position = turn * 6.0;
    const double sector = std::floor(position);
    const double rest = position - sector;
    const double falling = kWhite * (1.0 - rest);
    const double rising = kWhite * (1.0 - (1.0 - rest));
    switch (static_cast<int>(sector)) {
      case 0:
        return colour_of(kWhite, rising, 0);
      case 1:
        return colour_of(falling, kWhite, 0);
      case 2:
        return colour_of(0, kWhite, rising);
      case 3:
        return colour_of(0, falling, kWhite);
      case 4:
        return colour_of(rising, 0, kWhite);
      default:
        return colour_of(kWhite, 0, falling);
    }
  }

  Image& image_;
  cv::Mat mat_;  ///< the image's pixels
  bool red_first_;
  Pen pen_;
};

DrawnBody drawn_body(const Keypoints& keypoints) {
  DrawnBody body;
  for (std::size_t i = 0; i < kDrawnPoints; ++i) {
    if (const Keypoint point = drawn_point(keypoints, i); point.seen()) body[i] = point.at;
  }
  return body;
}

void draw_hand(Canvas& canvas, std::span<const Keypoint> hand) {
  constexpr double kEdge = 0.01;
  const auto visible = [&](std::size_t i) { return hand[i].seen() && hand[i].at.x > kEdge && hand[i].at.y > kEdge; };
  std::size_t edge = 0;
  for (const auto& finger : kFingers) {
    for (std::size_t i = 0; i + 1 < finger.size(); ++i, ++edge) {
      if (visible(finger[i]) && visible(finger[i + 1])) {
        canvas.finger(hand[finger[i]].at, hand[finger[i + 1]].at, edge);
      }
    }
  }
  for (std::size_t i = 0; i < kHandPoints; ++i) {
    if (visible(i)) canvas.finger_point(hand[i].at);
  }
}

/// Points so far out cannot be seen, and OpenCV's whole numbers would overflow.
Keypoints within_reach(Keypoints keypoints, int width, int height) {
  constexpr double kReach = 8;
  for (Keypoint& point : keypoints) {
    const bool near = std::abs(point.at.x) <= kReach * width && std::abs(point.at.y) <= kReach * height;
    if (!near) point.score = 0;
  }
  return keypoints;
}

void draw_joints_and_hands(Canvas& canvas, const DrawnBody& body, const Keypoints& keypoints) {
  for (std::size_t i = 0; i < kDrawnPoints; ++i) {
    if (body[i]) canvas.joint(*body[i], i);
  }
  draw_hand(canvas, std::span(keypoints).subspan(kLeftHand, kHandPoints));
  draw_hand(canvas, std::span(keypoints).subspan(kRightHand, kHandPoints));
}

void draw_limbs(Canvas& canvas, const DrawnBody& body) {
  for (std::size_t i = 0; i < kLimbs.size(); ++i) {
    if (body[kLimbs[i].from] && body[kLimbs[i].to]) canvas.limb(*body[kLimbs[i].from], *body[kLimbs[i].to], i);
  }
}

}  // namespace

Image draw_pose(const Keypoints& keypoints, int width, int height) {
  Image image(width, height);
  Canvas canvas(image, false, {});
  const Keypoints near = within_reach(keypoints, width, height);
  const DrawnBody body = drawn_body(near);
  draw_limbs(canvas, body);
  canvas.dim();
  draw_joints_and_hands(canvas, body, near);
  return image;
}

Image draw_pose_over(const Image& picture, const Keypoints& keypoints) {
  Image image = picture;
  const double scale = std::max(1.0, static_cast<double>(picture.height) / kCanvasHeight);
  Canvas canvas(image, true, {3 * scale, 3 * scale, scale});
  const Keypoints near = within_reach(keypoints, picture.width, picture.height);
  const DrawnBody body = drawn_body(near);
  draw_limbs(canvas, body);
  draw_joints_and_hands(canvas, body, near);
  return image;
}

}  // namespace unianimate::pose
