// A struct with every kind of field, and its list.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/fields/archive.h"

namespace unianimate::fields::testing {

enum class Weather { kSun, kRain, kSnow };
constexpr auto words(Weather /*of*/) {
  return std::array<Word<Weather>, 3>{{{Weather::kSun, "sun"}, {Weather::kRain, "rain"}, {Weather::kSnow, "snow"}}};
}

/// "3°"
struct Angle {
  int degrees = 0;
  bool operator==(const Angle&) const = default;
};

struct Load {
  std::filesystem::path file;
  double scale = 1;
  bool operator==(const Load&) const = default;
};

struct Walk {
  std::int64_t miles = 5;
  bool barefoot = false;
  bool operator==(const Walk&) const = default;
};

struct Detour {
  std::int64_t hills = 1;
  bool operator==(const Detour&) const = default;
};

struct Stop {
  std::string place;
  double hours = 1;
  bool operator==(const Stop&) const = default;
};

struct Trip {
  std::filesystem::path map;
  std::int64_t days = 3;
  std::optional<std::int64_t> people = 2;
  std::uint64_t seed = 11;
  double budget = 2.5;
  int width = 512;
  int height = 768;
  int tent_width = 0;
  int tent_height = 0;
  bool dogs = false;
  bool fire = true;
  Weather weather = Weather::kRain;
  std::optional<Angle> slope;
  Walk first;
  std::optional<Detour> second;
  std::vector<std::int64_t> stages = {1, 2};
  std::vector<std::filesystem::path> guides;
  std::map<std::string, std::string> phones;
  std::vector<Load> loads;
  std::vector<Stop> stops;
  bool operator==(const Trip&) const = default;
};

}  // namespace unianimate::fields::testing

template <>
struct unianimate::fields::TextForm<unianimate::fields::testing::Angle> {
  static std::string text(const testing::Angle& angle) { return std::to_string(angle.degrees) + "°"; }
  static testing::Angle parse(std::string_view text) {
    if (!text.ends_with("°")) throw Error(ErrorKind::kUsage, "an angle ends in °, found '{}'", printable(text));
    return {std::stoi(std::string(text))};
  }
};

template <>
struct unianimate::fields::TextForm<unianimate::fields::testing::Load> {
  static std::string text(const testing::Load& load) { return load.file.string() + ":" + std::to_string(load.scale); }
  static testing::Load parse(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return {text, 1};
    return {text.substr(0, colon), std::stod(std::string(text.substr(colon + 1)))};
  }
};

namespace unianimate::fields::testing {

inline void visit(Archive& archive, Load& load) {
  archive("file", load.file);
  archive("scale", load.scale);
}

inline void visit(Archive& archive, Walk& walk) {
  archive("miles", walk.miles, range(1, 30), "How far");
  archive("barefoot", walk.barefoot, "Without shoes");
}

inline void visit(Archive& archive, Detour& detour) {
  archive("hills", detour.hills, range(1, 9), "How many of them");
}

inline void visit(Archive& archive, Stop& stop) {
  archive("place", stop.place);
  archive("hours", stop.hours, above(0));
}

inline void visit(Archive& archive, Trip& trip) {
  archive("map", trip.map, type("FILE"), kRequired, "Where to");
  archive("days", trip.days, range(1, 99), former_option("--time"), kByModel, "How long");
  archive("people", trip.people, range(1, 1'000'000), none("all"), "How many");
  archive("seed", trip.seed, "Start of the random numbers");
  archive("budget", trip.budget, at_least(0), kByModel, option("--money"), expects("coins such as 2.5"), "How dear");
  archive.size("size", trip.width, trip.height, range(16, 4096, "pixels"), sides("width", "height"), "How large");
  archive.optional_size("tent", trip.tent_width, trip.tent_height, "How wide");
  archive("dogs", trip.dogs, group("Others"), "With dogs");
  archive("fire", trip.fire, group("Others"), switched_off_by("--cold"), "Without a fire");
  archive("weather", trip.weather, before("sun"), "What it is like");
  archive("slope", trip.slope, needs("--weather"), "How steep");
  archive.section("first", trip.first);
  archive.section("second", trip.second, "Go on");
  archive("stages", trip.stages);
  archive("guides", trip.guides);
  archive("phones", trip.phones);
  archive.list("loads", trip.loads, option("--load"), type("FILE[:SCALE]"), "What is carried");
  archive.list("stops", trip.stops);
}

/// Of which every kind of value is another than the default.
inline Trip unusual_trip() {
  Trip trip;
  trip.days = 9;
  trip.seed = ~std::uint64_t{0};
  trip.width = 64;
  trip.height = 96;
  trip.tent_width = 2;
  trip.tent_height = 3;
  trip.dogs = true;
  trip.fire = false;
  trip.weather = Weather::kSnow;
  trip.slope = Angle{12};
  trip.first.miles = 7;
  trip.second = Detour{.hills = 3};
  return trip;
}

}  // namespace unianimate::fields::testing
