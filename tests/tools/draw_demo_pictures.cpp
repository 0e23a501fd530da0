// Draws what scripts/demo.sh animates: a figure of rounded strokes, and pose pictures of it dancing.
// usage: draw_demo_pictures FOLDER
// Writes FOLDER/reference.png, FOLDER/poses/ref_pose.png and FOLDER/poses/0000.png, 0001.png, …
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numbers>
#include <utility>

#include "unianimate/media/image.h"
#include "unianimate/media/image_writer.h"

namespace {

using unianimate::Image;

constexpr int kWidth = 512;
constexpr int kHeight = 768;
constexpr int kPoses = 16;

struct Point {
  double x = 0;
  double y = 0;
};

using Colour = std::array<double, 3>;

/// OpenPose's 18 body joints in pixels; right and left are the person's own.
enum Joint {
  kNose,
  kNeck,
  kRightShoulder,
  kRightElbow,
  kRightWrist,
  kLeftShoulder,
  kLeftElbow,
  kLeftWrist,
  kRightHip,
  kRightKnee,
  kRightAnkle,
  kLeftHip,
  kLeftKnee,
  kLeftAnkle,
  kRightEye,
  kLeftEye,
  kRightEar,
  kLeftEar,
  kJoints
};
using Skeleton = std::array<Point, kJoints>;

/// Angles of the limbs in degrees: 0 hangs down, 90 points outwards, away from the body.
struct Posture {
  double sway = 0;  ///< pixels by which the upper body leans to the left of the person
  double right_arm = 18, right_forearm = 10;
  double left_arm = 18, left_forearm = 10;
  double right_leg = 5, right_shin = 2;
  double left_leg = 5, left_shin = 2;
};

/// `side` is −1 for limbs on the left of the picture, 1 for those on its right.
Point limb_end(Point from, double length, double degrees, double side) {
  const double angle = degrees * std::numbers::pi / 180;
  return {from.x + side * length * std::sin(angle), from.y + length * std::cos(angle)};
}

Skeleton make_skeleton(const Posture& posture) {
  Skeleton joints;
  const double x = kWidth / 2.0 + posture.sway;
  joints[kNeck] = {x, 225};
  joints[kNose] = {x + 0.3 * posture.sway, 160};
  const Point nose = joints[kNose];
  joints[kRightEye] = {nose.x - 15, nose.y - 14};
  joints[kLeftEye] = {nose.x + 15, nose.y - 14};
  joints[kRightEar] = {nose.x - 38, nose.y - 6};
  joints[kLeftEar] = {nose.x + 38, nose.y - 6};
  joints[kRightShoulder] = {x - 60, 232};
  joints[kLeftShoulder] = {x + 60, 232};
  joints[kRightHip] = {kWidth / 2.0 - 36, 420};
  joints[kLeftHip] = {kWidth / 2.0 + 36, 420};
  joints[kRightElbow] = limb_end(joints[kRightShoulder], 92, posture.right_arm, -1);
  joints[kRightWrist] = limb_end(joints[kRightElbow], 84, posture.right_forearm, -1);
  joints[kLeftElbow] = limb_end(joints[kLeftShoulder], 92, posture.left_arm, 1);
  joints[kLeftWrist] = limb_end(joints[kLeftElbow], 84, posture.left_forearm, 1);
  joints[kRightKnee] = limb_end(joints[kRightHip], 130, posture.right_leg, -1);
  joints[kRightAnkle] = limb_end(joints[kRightKnee], 130, posture.right_shin, -1);
  joints[kLeftKnee] = limb_end(joints[kLeftHip], 130, posture.left_leg, 1);
  joints[kLeftAnkle] = limb_end(joints[kLeftKnee], 130, posture.left_shin, 1);
  return joints;
}

/// One beat of the dance, 0 <= phase < 1.
Posture dance(double phase) {
  const double wave = std::sin(2 * std::numbers::pi * phase);
  const double nod = std::cos(2 * std::numbers::pi * phase);
  Posture posture;
  posture.sway = 16 * wave;
  posture.right_arm = 45 + 20 * wave;
  posture.right_forearm = 25 + 35 * wave;
  posture.left_arm = 105 + 15 * nod;
  posture.left_forearm = 165 - 30 * wave;
  posture.right_leg = 10 + 6 * wave;
  posture.right_shin = 4 - 6 * wave;
  posture.left_leg = 10 - 6 * wave;
  posture.left_shin = 4 + 6 * wave;
  return posture;
}

/// A stroke with round ends, its radius going from `start_radius` to `end_radius`, laid over the picture.
void draw_stroke(Image& image, Point start, Point end, double start_radius, double end_radius, const Colour& colour) {
  const double dx = end.x - start.x;
  const double dy = end.y - start.y;
  const double length_squared = std::max(dx * dx + dy * dy, 1e-9);
  const double reach = std::max(start_radius, end_radius) + 1;
  const auto first = [&](double a, double b) { return std::max(0, static_cast<int>(std::min(a, b) - reach)); };
  const auto last = [&](double a, double b, int size) {
    return std::min(size - 1, static_cast<int>(std::max(a, b) + reach));
  };
  for (int y = first(start.y, end.y); y <= last(start.y, end.y, image.height); ++y) {
    const auto row = image.row(y);
    for (int x = first(start.x, end.x); x <= last(start.x, end.x, image.width); ++x) {
      const double along = std::clamp(((x - start.x) * dx + (y - start.y) * dy) / length_squared, 0.0, 1.0);
      const double distance = std::hypot(x - start.x - along * dx, y - start.y - along * dy);
      const double coverage = std::clamp(std::lerp(start_radius, end_radius, along) - distance + 0.5, 0.0, 1.0);
      for (int c = 0; coverage > 0 && c < Image::kChannels; ++c) {
        std::uint8_t& value = row[static_cast<std::size_t>(x) * Image::kChannels + static_cast<std::size_t>(c)];
        value = static_cast<std::uint8_t>(std::lround(std::lerp(value, colour[static_cast<std::size_t>(c)], coverage)));
      }
    }
  }
}

void draw_disc(Image& image, Point centre, double radius, const Colour& colour) {
  draw_stroke(image, centre, centre, radius, radius, colour);
}

Point moved(Point point, double dx, double dy) {
  return {point.x + dx, point.y + dy};
}

Image draw_room() {
  constexpr int kFloor = 600;
  Image image(kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y) {
    const double light = static_cast<double>(y) / kHeight;
    const Colour colour = y < kFloor ? Colour{214 - 30 * light, 226 - 26 * light, 232 - 20 * light}
                                     : Colour{186 - 20 * light, 150 - 20 * light, 118 - 20 * light};
    const auto row = image.row(y);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<std::uint8_t>(colour[i % colour.size()]);
  }
  draw_stroke(image, {0, kFloor}, {kWidth, kFloor}, 5, 5, {244, 244, 240});
  return image;
}

Image draw_figure(const Skeleton& joints) {
  constexpr Colour kSkin{238, 196, 164};
  constexpr Colour kHair{84, 54, 40};
  constexpr Colour kShirt{66, 138, 150};
  constexpr Colour kTrousers{58, 66, 96};
  constexpr Colour kShoes{196, 74, 62};
  constexpr Colour kShadow{128, 98, 76};
  constexpr Colour kDark{52, 40, 38};
  constexpr Colour kMouth{186, 84, 80};

  Image image = draw_room();
  draw_stroke(image, moved(joints[kRightAnkle], -20, 26), moved(joints[kLeftAnkle], 20, 26), 12, 12, kShadow);
  for (const auto& [hip, knee, ankle, side] :
       {std::tuple{kRightHip, kRightKnee, kRightAnkle, -1}, std::tuple{kLeftHip, kLeftKnee, kLeftAnkle, 1}}) {
    draw_stroke(image, moved(joints[ankle], 0, 14), moved(joints[ankle], 18 * side, 18), 13, 11, kShoes);
    draw_stroke(image, joints[hip], joints[knee], 32, 25, kTrousers);
    draw_stroke(image, joints[knee], joints[ankle], 25, 18, kTrousers);
  }
  const Point nose = joints[kNose];
  draw_stroke(image, moved(nose, 0, -22), moved(nose, 0, 20), 50, 44, kHair);
  draw_stroke(image, nose, moved(joints[kNeck], 0, 4), 18, 20, kSkin);
  for (const auto& [shoulder, hip] : {std::pair{kRightShoulder, kRightHip}, std::pair{kLeftShoulder, kLeftHip}}) {
    draw_stroke(image, moved(joints[shoulder], 0, 6), joints[hip], 26, 32, kShirt);
  }
  draw_stroke(image, moved(joints[kNeck], 0, 46), {kWidth / 2.0, 408}, 50, 44, kShirt);
  for (const auto& [shoulder, elbow, wrist] :
       {std::tuple{kRightShoulder, kRightElbow, kRightWrist}, std::tuple{kLeftShoulder, kLeftElbow, kLeftWrist}}) {
    draw_stroke(image, joints[elbow], joints[wrist], 16, 13, kSkin);
    draw_disc(image, joints[wrist], 17, kSkin);
    draw_stroke(image, joints[shoulder], joints[elbow], 25, 19, kShirt);
  }
  draw_stroke(image, moved(nose, 0, -12), moved(nose, 0, 14), 38, 33, kSkin);
  draw_stroke(image, moved(nose, -26, -44), moved(nose, 26, -44), 13, 13, kHair);
  draw_disc(image, joints[kRightEye], 4.5, kDark);
  draw_disc(image, joints[kLeftEye], 4.5, kDark);
  draw_stroke(image, moved(nose, -12, 18), moved(nose, 0, 23), 2.5, 2.5, kMouth);
  draw_stroke(image, moved(nose, 0, 23), moved(nose, 12, 18), 2.5, 2.5, kMouth);
  return image;
}

/// The look of the published pose pictures: limbs dimmed to 60 %, joints on top.
Image draw_pose(const Skeleton& joints) {
  constexpr double kRadius = 4;
  constexpr double kLimbBrightness = 0.6;
  constexpr std::array<Colour, kJoints> kColours{{{0, 0, 255},
                                                  {0, 85, 255},
                                                  {0, 170, 255},
                                                  {0, 255, 255},
                                                  {0, 255, 170},
                                                  {0, 255, 85},
                                                  {0, 255, 0},
                                                  {85, 255, 0},
                                                  {170, 255, 0},
                                                  {255, 255, 0},
                                                  {255, 170, 0},
                                                  {255, 85, 0},
                                                  {255, 0, 0},
                                                  {255, 0, 85},
                                                  {255, 0, 170},
                                                  {255, 0, 255},
                                                  {170, 0, 255},
                                                  {85, 0, 255}}};
  constexpr std::array<std::pair<Joint, Joint>, 17> kLimbs{{{kNeck, kRightShoulder},
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
                                                            {kLeftEye, kLeftEar}}};
  Image image(kWidth, kHeight);
  for (std::size_t i = 0; i < kLimbs.size(); ++i) {
    Colour colour = kColours[i];
    for (double& channel : colour) channel *= kLimbBrightness;
    draw_stroke(image, joints[kLimbs[i].first], joints[kLimbs[i].second], kRadius, kRadius, colour);
  }
  for (std::size_t i = 0; i < joints.size(); ++i) draw_disc(image, joints[i], kRadius, kColours[i]);
  return image;
}

void draw_pictures(const std::filesystem::path& folder) {
  const std::filesystem::path poses = folder / "poses";
  std::filesystem::create_directories(poses);
  const Skeleton standing = make_skeleton(Posture{});
  write_png(folder / "reference.png", draw_figure(standing));
  write_png(poses / "ref_pose.png", draw_pose(standing));
  for (int i = 0; i < kPoses; ++i) {
    const Skeleton dancing = make_skeleton(dance(static_cast<double>(i) / kPoses));
    write_png(poses / fmt::format("{:04}.png", i), draw_pose(dancing));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: draw_demo_pictures FOLDER\n", stderr);
    return 2;
  }
  try {
    draw_pictures(argv[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "draw_demo_pictures: {}\n", error.what());
    return 1;
  }
  return 0;
}
