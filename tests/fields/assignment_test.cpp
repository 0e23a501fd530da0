#include "unianimate/fields/assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fields/sample_settings.h"
#include "unianimate/core/error.h"

namespace unianimate::fields {
namespace {

using ::testing::HasSubstr;
using testing::Trip;

std::string refusal(const std::string& text) {
  try {
    Trip trip;
    assign(trip, parse_assignments(text));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "nothing was refused";
}

TEST(Assignments, ChangeTheirFieldsAlone) {
  Trip expected;
  expected.days = 9;
  expected.budget = 0.5;
  expected.width = 640;
  expected.height = 480;
  expected.people.reset();
  Trip trip;
  assign(trip, parse_assignments("  days=9 budget=0.5  size=640x480 people=all "));
  EXPECT_EQ(trip, expected);
  assign(trip, parse_assignments(""));
  EXPECT_EQ(trip, expected);
}

TEST(Assignments, ThatCannotBeMadeAreNamed) {
  EXPECT_THAT(refusal("days"), HasSubstr("found 'days'"));
  EXPECT_THAT(refusal("=9"), HasSubstr("found '=9'"));
  EXPECT_THAT(refusal("weeks=1"), HasSubstr("no setting called 'weeks'"));
  EXPECT_THAT(refusal("days=long"), HasSubstr("days must be a whole number, found 'long'"));
  EXPECT_THAT(refusal("days=0"), HasSubstr("days must be"));
}

TEST(Assignments, AreWrittenAsOptions) {
  EXPECT_EQ(option_text<Trip>(parse_assignments("budget=0.5 days=9")), "--money 0.5 --days 9");
  EXPECT_EQ(option_text<Trip>({}), "");
}

}  // namespace
}  // namespace unianimate::fields
