#include "unianimate/puppet/identity.h"

#include <algorithm>
#include <cmath>

#include "unianimate/core/random_stream.h"

namespace unianimate::puppet {

namespace {

// Seeds of one person's parts, so that a change to one leaves the others as they are.
constexpr std::uint64_t kIdentityStream = 0x1D;
constexpr std::uint64_t kBackgroundStream = 0xBAC;

RandomStream stream(std::uint64_t seed, std::uint64_t part) {
  return RandomStream(mixed_seed(seed, part));
}

/// In braces, random numbers are drawn in this order by every compiler; as arguments of a function they are not.
struct Shade {
  double value;
  double saturation;
  double hue;  ///< turns
};

Colour colour_of(const Shade& shade) {
  const auto channel = [&](double offset) {
    const double position = std::fmod(offset + shade.hue * 6, 6.0);
    return shade.value * (1 - shade.saturation * std::clamp(std::min(position, 4 - position), 0.0, 1.0));
  };
  return {channel(5), channel(3), channel(1)};
}

Colour any_colour(RandomStream& random, double least_value = 0.15) {
  return colour_of({random.uniform(least_value, 0.95), random.uniform(0.1, 0.85), random.uniform()});
}

Colour skin_colour(RandomStream& random) {
  constexpr std::array<Colour, 6> kTones{{{0.96, 0.84, 0.74},
                                          {0.90, 0.74, 0.62},
                                          {0.80, 0.62, 0.48},
                                          {0.66, 0.48, 0.36},
                                          {0.48, 0.33, 0.24},
                                          {0.33, 0.22, 0.16}}};
  const double place = random.uniform(0, kTones.size() - 1.001);
  const auto lower = static_cast<std::size_t>(place);
  Colour tone{};
  for (std::size_t i = 0; i < tone.size(); ++i) {
    tone[i] = std::lerp(kTones[lower][i], kTones[lower + 1][i], place - static_cast<double>(lower));
  }
  return tone;
}

Colour hair_colour(RandomStream& random) {
  constexpr std::array<Colour, 6> kColours{{{0.10, 0.08, 0.07},
                                            {0.25, 0.16, 0.10},
                                            {0.45, 0.28, 0.15},
                                            {0.80, 0.65, 0.35},
                                            {0.62, 0.25, 0.12},
                                            {0.70, 0.70, 0.72}}};
  return random.chance(0.1) ? any_colour(random) : kColours[random.below(kColours.size())];
}

Proportions make_proportions(RandomStream& random) {
  Proportions p;
  const auto vary = [&](double& length, double share) { length *= random.uniform(1 - share, 1 + share); };
  constexpr double kSome = 0.12;
  constexpr double kMuch = 0.2;
  for (double* length : {&p.neck, &p.torso, &p.upper_arm, &p.forearm, &p.thigh, &p.shin, &p.foot, &p.hand}) {
    vary(*length, kSome);
  }
  for (double* length : {&p.head, &p.shoulders, &p.hips, &p.arm_thickness, &p.leg_thickness, &p.belly}) {
    vary(*length, kMuch);
  }
  return p;
}

Clothes make_clothes(RandomStream& random) {
  Clothes clothes;
  clothes.shirt = any_colour(random);
  clothes.shirt_second = any_colour(random);
  clothes.pattern = random.chance(0.5) ? Pattern::kPlain : static_cast<Pattern>(1 + random.below(3));
  constexpr std::array<double, 4> kSleeves{0.05, 0.35, 0.7, 1};
  clothes.sleeves = kSleeves[random.below(kSleeves.size())];
  clothes.trousers = any_colour(random, 0.1);
  constexpr std::array<double, 4> kLegs{0.3, 0.5, 0.75, 1};
  clothes.trouser_legs = kLegs[random.below(kLegs.size())];
  clothes.skirt = random.chance(0.2);
  clothes.shoes = any_colour(random, 0.05);
  clothes.belt = random.chance(0.3);
  return clothes;
}

}  // namespace

Identity make_identity(std::uint64_t seed) {
  RandomStream random = stream(seed, kIdentityStream);
  Identity identity;
  identity.proportions = make_proportions(random);
  identity.skin = skin_colour(random);
  identity.hair = hair_colour(random);
  identity.headwear = static_cast<Headwear>(random.below(6));
  identity.headwear_colour = any_colour(random);
  identity.clothes = make_clothes(random);
  constexpr std::array<Colour, 3> kEyes{{{0.15, 0.10, 0.08}, {0.15, 0.30, 0.45}, {0.15, 0.35, 0.20}}};
  identity.face.eyes = kEyes[random.below(kEyes.size())];
  identity.face.lips = colour_of({random.uniform(0.4, 0.8), random.uniform(0.4, 0.8), random.uniform(0.95, 1.02)});
  identity.face.eye_distance *= random.uniform(0.85, 1.15);
  identity.face.mouth_width *= random.uniform(0.8, 1.3);
  identity.face.glasses = random.chance(0.15);
  identity.face.beard = random.chance(0.12);
  return identity;
}

Background make_background(std::uint64_t seed) {
  RandomStream random = stream(seed, kBackgroundStream);
  Background background;
  background.kind = static_cast<BackgroundKind>(random.below(3));
  const double hue = random.uniform();
  background.first = colour_of({random.uniform(0.45, 0.95), random.uniform(0.05, 0.5), hue});
  background.second = colour_of({random.uniform(0.3, 0.85), random.uniform(0.1, 0.6), hue + random.uniform(0.05, 0.4)});
  background.horizon = random.uniform(0.7, 0.9);
  background.shape_count = random.below(3);
  for (int i = 0; i < background.shape_count; ++i) {
    BackgroundShape& shape = background.shapes[static_cast<std::size_t>(i)];
    shape.round = random.chance(0.5);
    shape.x = random.uniform();
    shape.y = random.uniform(0.05, 0.6);
    shape.half_width = random.uniform(0.06, 0.2);
    shape.half_height = random.uniform(0.04, 0.15);
    shape.colour = any_colour(random, 0.3);
  }
  return background;
}

}  // namespace unianimate::puppet
