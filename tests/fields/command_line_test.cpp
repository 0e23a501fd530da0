#include "unianimate/fields/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "fields/sample_settings.h"

namespace unianimate::fields {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Trip;
using testing::Weather;

/// A command with all options of a trip.
class Command {
 public:
  explicit Command(const Filter& filter = all_fields()) { line.add(app, Trip{}, filter); }

  /// What is read from "--map x" and `words`.
  Trip read(std::vector<std::string> words) {
    words.insert(words.begin(), {"--map", "x"});
    std::ranges::reverse(words);
    app.parse(words);
    Trip trip;
    line.take(trip);
    return trip;
  }

  CLI::App app;
  CommandLine line;
};

std::string refusal_of(const std::vector<std::string>& words) {
  try {
    Command().read(words);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

TEST(CommandLine, TakesEveryKindOfField) {
  const Trip trip = Command().read({"--days",  "9",      "--people",  "all",     "--seed",  "18446744073709551615",
                                    "--money", "+1.5",   "--size",    "64x96",   "--tent",  "2x3",
                                    "--dogs",  "--cold", "--weather", "snow",    "--slope", "12°",
                                    "--miles", "7",      "--second",  "--hills", "3",       "--load",
                                    "a:0.5",   "--load", "b"});
  Trip expected = testing::unusual_trip();
  expected.map = "x";
  expected.people = std::nullopt;
  expected.budget = 1.5;
  expected.loads = {{"a", 0.5}, {"b", 1}};
  EXPECT_EQ(trip, expected);
}

TEST(CommandLine, LeavesWhatIsNotGivenAsItWas) {
  Command command;
  std::vector<std::string> words{"x", "--map"};
  command.app.parse(words);
  Trip trip;
  trip.days = 42;
  trip.slope = testing::Angle{1};
  command.line.take(trip);
  EXPECT_EQ(trip.days, 42);
  EXPECT_EQ(trip.slope, testing::Angle{1});
  EXPECT_EQ(trip.map, "x");
}

TEST(CommandLine, ShowsDefaultsRangesWordsAndGroupsInTheHelp) {
  const std::string help = Command().app.help();
  EXPECT_THAT(help, ::testing::ContainsRegex("--map FILE REQUIRED +Where to"));
  EXPECT_THAT(help, ::testing::ContainsRegex("--days N=3 +How long \\(1 to 99\\)"));
  EXPECT_THAT(help, ::testing::ContainsRegex("--people N=2 "));
  EXPECT_THAT(help, HasSubstr("--size WxH=512x768"));
  EXPECT_THAT(help, HasSubstr("(16 to 4096 pixels)"));
  EXPECT_THAT(help, HasSubstr("--weather sun|rain|snow=rain"));
  EXPECT_THAT(help, HasSubstr("--load FILE[:SCALE]"));
  EXPECT_THAT(help, HasSubstr("Others:\n  --dogs "));
  EXPECT_THAT(help, HasSubstr("--cold "));
  EXPECT_THAT(help, Not(HasSubstr("--time"))) << "a former name is not shown";
  EXPECT_THAT(help, Not(HasSubstr("--phones"))) << "a field without help is no option";
}

TEST(CommandLine, TakesFormerNames) {
  EXPECT_EQ(Command().read({"--time", "8"}).days, 8);
  EXPECT_THAT(refusal_of({"--time", "8", "--days", "8"}), HasSubstr("--time is the former name of --days; give one"));
}

TEST(CommandLine, SaysWhatWasExpected) {
  EXPECT_EQ(refusal_of({"--days", "0x10"}), "--days expects a whole number, found '0x10'");
  EXPECT_EQ(refusal_of({"--days", "100"}), "--days must be between 1 and 99, found 100");
  EXPECT_EQ(refusal_of({"--people", "many"}), "--people expects a number or 'all', found 'many'");
  EXPECT_EQ(refusal_of({"--seed", "-3"}), "--seed expects a whole number from 0 up, found '-3'");
  EXPECT_EQ(refusal_of({"--money", "nan"}), "--money expects coins such as 2.5, found 'nan'");
  EXPECT_EQ(refusal_of({"--size", "big"}), "--size expects width x height in pixels such as 512x768, found 'big'");
  EXPECT_EQ(refusal_of({"--size", "5000x768"}), "--size: the width must be between 16 and 4096 pixels, found 5000");
  EXPECT_EQ(refusal_of({"--weather", "hail"}), "--weather must be sun, rain or snow, found 'hail'");
  EXPECT_EQ(refusal_of({"--weather", "sun", "--slope", "3"}), "an angle ends in °, found '3'");
  EXPECT_EQ(refusal_of({"--days", "\x1b"}), "--days expects a whole number, found '\\x1b'");
}

TEST(CommandLine, KnowsWhatNeedsWhat) {
  EXPECT_THAT(refusal_of({"--slope", "3°"}), HasSubstr("--slope requires --weather"));
  EXPECT_THAT(refusal_of({"--hills", "3"}), HasSubstr("--hills requires --second"));
}

TEST(CommandLine, HasOnlyWhatTheFilterLetsThrough) {
  const std::string help = Command(only({"map", "days"})).app.help();
  EXPECT_THAT(help, HasSubstr("--days"));
  EXPECT_THAT(help, Not(HasSubstr("--miles")));
  const std::string rest = Command(all_but({"days"})).app.help();
  EXPECT_THAT(rest, Not(HasSubstr("--days")));
  EXPECT_THAT(rest, HasSubstr("--miles"));
}

TEST(CommandLine, RefusesWhatHasNoEffect) {
  Command command;
  command.read({"--dogs", "--time", "3"});
  EXPECT_TRUE(command.line.gave("dogs"));
  EXPECT_FALSE(command.line.gave("seed"));
  EXPECT_NO_THROW(command.line.refuse(only({"seed"}), "today"));
  try {
    command.line.refuse(only({"days", "seed"}), "on Sundays");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "--time has no effect on Sundays; leave it out");
  }
}

TEST(CommandLine, GivesEveryCombinationOfLists) {
  CLI::App app;
  CommandLine line;
  line.add_lists<Trip>(app, {"weather", "days", "budget"});
  std::vector<std::string> words{"3,4", "--days", "sun,snow", "--weather"};
  app.parse(words);
  Trip defaults;
  defaults.budget = 7;
  const std::vector<Trip> trips = line.combinations(defaults, 10);
  ASSERT_EQ(trips.size(), 4U);
  EXPECT_EQ(trips[1].weather, Weather::kSun);
  EXPECT_EQ(trips[1].days, 4);
  EXPECT_EQ(trips[2].weather, Weather::kSnow);
  EXPECT_EQ(trips[2].days, 3);
  EXPECT_EQ(trips[2].budget, 7);
  EXPECT_EQ(line.combinations(defaults, 2).size(), 3U);
}

}  // namespace
}  // namespace unianimate::fields
