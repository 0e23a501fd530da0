#include "unianimate/fields/json_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "fields/sample_settings.h"
#include "unianimate/core/json_text.h"

namespace unianimate::fields {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::Trip;
using testing::Weather;

Trip full_trip() {
  Trip trip = testing::unusual_trip();
  trip.map = "maps/north.png";
  trip.people = std::nullopt;
  trip.budget = 0.1 + 0.2;
  trip.first.barefoot = true;
  trip.stages = {4, -5};
  trip.guides = {"a.txt", "b.txt"};
  trip.phones = {{"x", "1"}};
  trip.loads = {{"salt", 0.5}};
  trip.stops = {{"lake", 2}, {"hill", 1}};
  return trip;
}

/// As it is read from a file.
json parsed(const Trip& trip) {
  return parse_json(write_json(trip).dump(), "trip.json", 8);
}

TEST(Json, GoesThereAndBack) {
  for (const Trip& trip : {Trip{}, full_trip()}) {
    Trip read = full_trip();
    read_json(parsed(trip), {"trip.json"}, read, Missing::kRefused);
    EXPECT_EQ(read, trip);
  }
}

TEST(Json, IsWrittenInTheOrderOfTheFieldsWithNullForNone) {
  const std::string text = write_json(Trip{}).dump();
  EXPECT_THAT(text, ::testing::StartsWith(R"({"map":"","days":3,"people":2,"seed":11,"budget":2.5,"width":512,)"
                                          R"("height":768,"tent":null,"dogs":false,"fire":true,"weather":"rain",)"
                                          R"("slope":null,"first":{"miles":5,"barefoot":false},"second":null,)"));
}

TEST(Json, OfSomeFieldsHasTheseAlone) {
  EXPECT_EQ(write_json(Trip{}, fields_of_models()).dump(), R"({"days":3,"budget":2.5})");
  Trip trip;
  read_json(json{{"days", 4}}, {"model.json", "defaults"}, trip, Missing::kLeft, fields_of_models());
  EXPECT_EQ(trip.days, 4);
  EXPECT_THROW(read_json(json{{"dogs", true}}, {"model.json"}, trip, Missing::kLeft, fields_of_models()), Error);
  EXPECT_THROW(read_json(json{{"second", nullptr}}, {"model.json"}, trip, Missing::kLeft, fields_of_models()), Error);
}

TEST(Json, LeavesWhatIsMissingAsItWas) {
  Trip trip = full_trip();
  read_json(json{{"budget", 1}, {"first", {{"miles", 2}}}, {"stages", json::array()}}, {"trip.json"}, trip,
            Missing::kLeft);
  Trip expected = full_trip();
  expected.budget = 1;
  expected.first.miles = 2;
  expected.stages.clear();
  EXPECT_EQ(trip, expected);
}

TEST(Json, TakesWhatALaterFieldWasBeforeAndNoneForAnOptionalOne) {
  json object = parsed(full_trip());
  for (const char* key : {"weather", "slope", "second"}) object.erase(key);
  Trip read;
  read_json(object, {"trip.json"}, read, Missing::kRefused);
  EXPECT_EQ(read.weather, Weather::kSun);
  EXPECT_FALSE(read.slope);
  EXPECT_FALSE(read.second);
}

struct Spoilt {
  const char* name;
  std::function<void(json&)> spoil;
  const char* sentence;
};

std::ostream& operator<<(std::ostream& out, const Spoilt& spoilt) {
  return out << spoilt.name;
}

class SpoiltJson : public ::testing::TestWithParam<Spoilt> {};

TEST_P(SpoiltJson, IsRefusedWithThePathOfTheField) {
  json object = parsed(full_trip());
  GetParam().spoil(object);
  Trip read;
  try {
    read_json(object, {"trip.json"}, read, Missing::kRefused);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(GetParam().sentence));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Fields, SpoiltJson,
    ::testing::Values(
        Spoilt{"unknown", [](json& j) { j["day"] = 1; }, "trip.json has an unknown key 'day'; known are map, days, pe"},
        Spoilt{"unknown_inside", [](json& j) { j["first"]["x"] = 1; },
               "trip.json: first has an unknown key 'x'; known are miles, barefoot"},
        Spoilt{"unknown_in_list", [](json& j) { j["stops"][1]["x"] = 1; }, "trip.json: stops[1] has an unknown key"},
        Spoilt{"missing", [](json& j) { j.erase("days"); }, "trip.json lacks days"},
        Spoilt{"missing_side", [](json& j) { j.erase("height"); }, "trip.json lacks height"},
        Spoilt{"missing_inside", [](json& j) { j["second"].erase("hills"); }, "trip.json: second lacks hills"},
        Spoilt{"missing_list", [](json& j) { j.erase("stops"); }, "trip.json lacks stops"},
        Spoilt{"number", [](json& j) { j["days"] = "3"; }, "days must be a whole number in range, found \"3\""},
        Spoilt{"fraction", [](json& j) { j["days"] = 3.5; }, "trip.json: days must be a whole number in range"},
        Spoilt{"huge", [](json& j) { j["days"] = ~std::uint64_t{0}; }, "days must be a whole number in range"},
        Spoilt{"negative_seed", [](json& j) { j["seed"] = -1; }, "seed must be a whole number in range, found -1"},
        Spoilt{"wide", [](json& j) { j["width"] = std::int64_t{1} << 40; }, "width must be a whole number in range"},
        Spoilt{"range", [](json& j) { j["days"] = 100; }, "trip.json: days must be between 1 and 99, found 100"},
        Spoilt{"side", [](json& j) { j["height"] = 8; }, "trip.json: height must be between 16 and 4096 pixels, f"},
        Spoilt{"text_for_number", [](json& j) { j["budget"] = "x"; }, "budget must be a number, found \"x\""},
        Spoilt{"null", [](json& j) { j["budget"] = nullptr; }, "budget must be a number, found null"},
        Spoilt{"flag", [](json& j) { j["dogs"] = 1; }, "dogs must be true or false, found 1"},
        Spoilt{"word", [](json& j) { j["weather"] = "hail"; },
               "trip.json: weather must be sun, rain or snow, found 'hail'"},
        Spoilt{"no_word", [](json& j) { j["weather"] = 1; }, "weather must be sun, rain or snow, found 1"},
        Spoilt{"form", [](json& j) { j["slope"] = "12"; }, "trip.json: slope: an angle ends in °, found '12'"},
        Spoilt{"path", [](json& j) { j["map"] = std::string("a\0b", 3); }, "map must be a path without a zero byte"},
        Spoilt{"list", [](json& j) { j["stages"] = 1; }, "stages must be a list of whole numbers, found 1"},
        Spoilt{"element", [](json& j) { j["stages"][0] = "x"; }, "stages must be a list of whole numbers"},
        Spoilt{"paths", [](json& j) { j["guides"][0] = 1; }, "trip.json: guides[0] must be a path, found 1"},
        Spoilt{"map", [](json& j) { j["phones"]["x"] = 1; }, "phones[x] must be a text, found 1"},
        Spoilt{"section", [](json& j) { j["first"] = 1; }, "trip.json: first must be an object"},
        Spoilt{"structs", [](json& j) { j["stops"] = 1; }, "trip.json: stops must be a list"},
        Spoilt{"struct", [](json& j) { j["stops"][0] = 1; }, "trip.json: stops[0] must be an object"},
        Spoilt{"in_struct", [](json& j) { j["stops"][0]["hours"] = 0; }, "stops[0].hours must be above 0, found 0"},
        Spoilt{"tent", [](json& j) { j["tent"] = "2y3"; }, "tent must be a size such as \"512x768\", found \"2y3\""},
        Spoilt{"all", [](json& j) { j = 1; }, "trip.json must be an object"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Json, PrintsNoControlCharactersOfWhatItRefuses) {
  Trip trip;
  try {
    read_json(json{{"\x1b[2J", 1}}, {"trip.json"}, trip, Missing::kLeft);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown key '\\x1b[2J'"));
  }
}

TEST(Json, OfHostileTextIsRefusedBeforeAnythingIsRead) {
  const std::vector<std::string> texts{std::string(100'000, '['), R"({"days":1,"days":2})",
                                       std::string("{\"days\":1}\0{", 12), R"({"days":1e)"};
  for (const std::string& text : texts) {
    EXPECT_THROW(parse_json(text, "trip.json", 8), Error);
  }
  Trip trip;
  EXPECT_THROW(read_json(parse_json(R"({"days":1e400})", "trip.json", 8), {"trip.json"}, trip, Missing::kLeft), Error);
}

}  // namespace
}  // namespace unianimate::fields
