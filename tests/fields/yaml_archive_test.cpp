#include "unianimate/fields/yaml_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fields/sample_settings.h"

namespace unianimate::fields {
namespace {

using ::testing::HasSubstr;
using testing::Trip;

Trip read(const std::string& text) {
  const YamlSection document(parse_yaml(text, "trip.yaml"), "",
                             std::make_shared<YamlSource>(YamlSource{"trip.yaml", {}}));
  Trip trip;
  read_yaml(document, "root", trip);
  return trip;
}

std::string refusal_of(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text;
  return "";
}

TEST(Yaml, GivesEveryKindOfField) {
  const Trip trip = read(R"(
map: north.png
days: 9
people: 4
seed: 18446744073709551615
budget: 1e1
size: [64, 96]
tent: [2, 3]
dogs: true
fire: false
weather: snow
slope: 12°
first: {miles: 7}
second: {hills: 3}
stages: [4, -5]
guides: [a.txt, /b.txt]
stops: [{place: lake, hours: 2}, {place: hill}]
)");
  Trip expected = testing::unusual_trip();
  expected.map = "root/north.png";
  expected.people = 4;
  expected.budget = 10;
  expected.stages = {4, -5};
  expected.guides = {"root/a.txt", "/b.txt"};
  expected.stops = {{"lake", 2}, {"hill", 1}};
  EXPECT_EQ(trip, expected);
  EXPECT_EQ(read(""), Trip{});
}

TEST(Yaml, IsRefusedWithLineAndKey) {
  EXPECT_THAT(refusal_of("days: 1\nday: 2"), HasSubstr("trip.yaml, line 2: day is no setting; those there are here: "));
  EXPECT_THAT(refusal_of("first: {mile: 2}"), HasSubstr("first.mile is no setting; those there are here: miles, bare"));
  EXPECT_THAT(refusal_of("days: x"), HasSubstr("line 1: days must be a whole number, found 'x'"));
  EXPECT_THAT(refusal_of("days: 100"), HasSubstr("line 1: days must be between 1 and 99, found 100"));
  EXPECT_THAT(refusal_of("budget: .nan"), HasSubstr("budget must be a number, found '.nan'"));
  EXPECT_THAT(refusal_of("dogs: 1"), HasSubstr("dogs must be true or false, found '1'"));
  EXPECT_THAT(refusal_of("weather: hail"), HasSubstr("weather must be sun, rain or snow, found 'hail'"));
  EXPECT_THAT(refusal_of("slope: 3"), HasSubstr("an angle ends in °, found '3'"));
  EXPECT_THAT(refusal_of("size: 64"), HasSubstr("size must be [width, height] in pixels, found '64'"));
  EXPECT_THAT(refusal_of("size: [64, 8]"), HasSubstr("height must be between 16 and 4096 pixels, found 8"));
  EXPECT_THAT(refusal_of("first: 3"), HasSubstr("first must be a map of keys and values"));
  EXPECT_THAT(refusal_of("guides: a"), HasSubstr("guides must be a list of files or folders, found 'a'"));
  EXPECT_THAT(refusal_of("stages: [x]"), HasSubstr("stages must be a list of whole numbers"));
  EXPECT_THAT(refusal_of("stops: {a: 1}"), HasSubstr("stops must be a list of maps"));
  EXPECT_THAT(refusal_of("stops: [{place: a, hours: 0}]"), HasSubstr("stops.hours must be above 0, found 0"));
  EXPECT_THAT(refusal_of("map: \"a\\0b\""), HasSubstr("map must be a file or folder"));
}

}  // namespace
}  // namespace unianimate::fields
