#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "fields/sample_settings.h"
#include "unianimate/fields/field_texts.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::fields {
namespace {

using ::testing::HasSubstr;
using testing::Trip;
using testing::Weather;

std::string refusal_of(const Trip& trip) {
  try {
    check_ranges(trip, "trip.");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(RangeCheck, AcceptsTheDefaults) {
  EXPECT_EQ(refusal_of({}), "");
}

TEST(RangeCheck, NamesTheFieldTheRangeAndTheNumber) {
  Trip trip;
  trip.days = 100;
  EXPECT_EQ(refusal_of(trip), "trip.days must be between 1 and 99, found 100");
  trip = {};
  trip.budget = -0.5;
  EXPECT_EQ(refusal_of(trip), "trip.budget must be at least 0, found -0.5");
  trip.budget = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal_of(trip), "trip.budget must be at least 0, found nan");
  trip = {};
  trip.height = 8;
  EXPECT_EQ(refusal_of(trip), "trip.size: the height must be between 16 and 4096 pixels, found 8");
}

TEST(RangeCheck, LooksIntoOptionalsSectionsAndLists) {
  Trip trip;
  trip.people = 0;
  EXPECT_EQ(refusal_of(trip), "trip.people must be between 1 and 1000000, found 0");
  trip = {};
  trip.first.miles = 31;
  EXPECT_EQ(refusal_of(trip), "trip.first.miles must be between 1 and 30, found 31");
  trip = {};
  trip.second = {.hills = 0};
  EXPECT_EQ(refusal_of(trip), "trip.second.hills must be between 1 and 9, found 0");
  trip = {};
  trip.stops = {{"lake", 1}, {"hill", 0}};
  EXPECT_EQ(refusal_of(trip), "trip.stops[1].hours must be above 0, found 0");
}

TEST(Range, SaysWhatItHolds) {
  EXPECT_EQ(at_least_and_below(0, 1).text(), "at least 0 and below 1");
  EXPECT_TRUE(at_least_and_below(0, 1).contains(0));
  EXPECT_FALSE(at_least_and_below(0, 1).contains(1));
  EXPECT_FALSE(above(0).contains(0));
  EXPECT_EQ(range(1, 1000).short_text(), "1 to 1000");
  EXPECT_TRUE(Range().is_everything());
}

TEST(Words, NameEveryValueAndNoOther) {
  EXPECT_EQ(word(Weather::kSnow), "snow");
  EXPECT_EQ(parse_word<Weather>("the weather", "rain"), Weather::kRain);
  try {
    parse_word<Weather>("the weather", "Hail\n");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the weather must be sun, rain or snow, found 'Hail\\x0a'");
  }
}

TEST(Differences, AreNamedInTheOrderOfTheFields) {
  EXPECT_TRUE(differences(Trip{}, Trip{}).empty());
  Trip other;
  other.stages = {1, 3};
  other.weather = Weather::kSun;
  other.second = testing::Detour{};
  const auto found = differences(Trip{}, other);
  std::vector<std::string> lines;
  for (const Difference& each : found) lines.push_back(each.path + ": " + each.first + ", " + each.second);
  EXPECT_THAT(lines, ::testing::ElementsAre("weather: rain, sun", "second: none, there", "stages: 1,2, 1,3",
                                            "second.hills: none, 1"));
}

TEST(FieldTexts, AreExact) {
  Trip trip;
  trip.budget = 0.1 + 0.2;
  std::map<std::string, std::string> texts;
  for (const FieldText& field : field_texts(trip)) texts[field.path] = field.text;
  EXPECT_EQ(std::stod(texts.at("budget")), trip.budget);
  EXPECT_EQ(texts.at("size"), "512x768");
  EXPECT_EQ(texts.at("slope"), "none");
  EXPECT_EQ(texts.at("first.miles"), "5");
}

}  // namespace
}  // namespace unianimate::fields
