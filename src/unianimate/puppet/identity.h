// What a procedural person looks like, and what stands behind.
#pragma once

#include <array>
#include <cstdint>

namespace unianimate::puppet {

/// Red, green, blue, 0 … 1.
using Colour = std::array<double, 3>;

enum class Headwear { kShortHair, kLongHair, kBun, kBald, kCap, kHat };
enum class Pattern { kPlain, kStripes, kHoops, kDots };

/// Lengths are shares of the body's height.
struct Proportions {
  double head = 0.075;  ///< radius
  double neck = 0.06;
  double shoulders = 0.115;  ///< from the neck to one
  double torso = 0.29;
  double hips = 0.07;  ///< from the middle to one
  double upper_arm = 0.165;
  double forearm = 0.15;
  double thigh = 0.235;
  double shin = 0.235;
  double foot = 0.07;
  double hand = 0.06;
  double arm_thickness = 0.05;
  double leg_thickness = 0.068;
  double belly = 1;  ///< width of the trunk at the hips against the usual
};

struct Clothes {
  Colour shirt{};
  Colour shirt_second{};  ///< of the pattern
  Pattern pattern = Pattern::kPlain;
  double sleeves = 1;  ///< share of the arm that they cover
  Colour trousers{};
  double trouser_legs = 1;  ///< share of the leg that they cover
  bool skirt = false;
  Colour shoes{};
  bool belt = false;
};

struct Face {
  Colour eyes{};
  Colour lips{};
  double eye_distance = 0.4;  ///< of the head's radius
  double mouth_width = 0.35;
  bool glasses = false;
  bool beard = false;
};

struct Identity {
  Proportions proportions;
  Colour skin{};
  Colour hair{};
  Headwear headwear = Headwear::kShortHair;
  Colour headwear_colour{};
  Clothes clothes;
  Face face;
};

/// The same seed gives the same person.
Identity make_identity(std::uint64_t seed);

enum class BackgroundKind { kPlain, kGradient, kFloor };

struct BackgroundShape {
  bool round = false;
  double x = 0;  ///< centre and half sides, shares of the picture
  double y = 0;
  double half_width = 0;
  double half_height = 0;
  Colour colour{};
};

struct Background {
  BackgroundKind kind = BackgroundKind::kPlain;
  Colour first{};
  Colour second{};       ///< the lower end of a gradient, or the floor
  double horizon = 0.8;  ///< where the floor begins, share of the height
  std::array<BackgroundShape, 2> shapes{};
  int shape_count = 0;
};

Background make_background(std::uint64_t seed);

}  // namespace unianimate::puppet
