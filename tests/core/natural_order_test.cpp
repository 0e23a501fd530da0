#include "unianimate/core/natural_order.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace unianimate {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names, natural_less);
  return names;
}

TEST(NaturalOrder, NumbersOfDifferentLengthsCount) {
  EXPECT_THAT(sorted({"10001", "0999", "10000", "1001", "1000"}),
              ElementsAre("0999", "1000", "1001", "10000", "10001"));
  EXPECT_THAT(sorted({"b1", "a10.png", "a9.png", "a9b", "a"}), ElementsAre("a", "a9.png", "a9b", "a10.png", "b1"));
  EXPECT_THAT(sorted({"v2.10", "v10.1", "v2.9"}), ElementsAre("v2.9", "v2.10", "v10.1"));
}

TEST(NaturalOrder, NumbersHaveAnyLength) {
  const std::string nines(5000, '9');
  std::string more(5001, '0');
  more.front() = '1';
  EXPECT_THAT(sorted({more, nines, "18446744073709551616", "18446744073709551615"}),
              ElementsAre("18446744073709551615", "18446744073709551616", nines, more));
}

TEST(NaturalOrder, LeadingZerosDecideLast) {
  EXPECT_THAT(sorted({"1b", "01b", "1a", "001c", "0", "00"}), ElementsAre("0", "00", "1a", "01b", "1b", "001c"));
}

TEST(NaturalOrder, CaseAndBytesBeyondAsciiAreBytes) {
  EXPECT_THAT(sorted({"\xff", "b", "B", "ä", "a"}), ElementsAre("B", "a", "b", "ä", "\xff"));
  EXPECT_FALSE(natural_less("a", "a"));
}

// Irreflexive, asymmetric, transitive, and total but for equal names: what std::sort relies on.
TEST(NaturalOrder, IsAStrictTotalOrder) {
  std::mt19937 random(5);
  constexpr std::string_view kAlphabet("0019aA.-_\xff\0", 11);
  std::vector<std::string> names;
  for (int i = 0; i < 90; ++i) {
    std::string name;
    for (std::size_t length = random() % 6; length > 0; --length) name += kAlphabet[random() % kAlphabet.size()];
    names.push_back(name);
  }
  for (const std::string& a : names) {
    for (const std::string& b : names) {
      EXPECT_EQ(natural_less(a, b) + natural_less(b, a), a == b ? 0 : 1);
      for (const std::string& c : names) {
        if (natural_less(a, b) && natural_less(b, c)) {
          EXPECT_TRUE(natural_less(a, c));
        }
      }
    }
  }
}

TEST(NameDigits, GrowBeyondThePublishedFour) {
  EXPECT_EQ(name_digits(0), 4);
  EXPECT_EQ(name_digits(10'000), 4);
  EXPECT_EQ(name_digits(10'001), 5);
  EXPECT_EQ(name_digits(1'000'000), 6);
}

std::optional<std::vector<std::int64_t>> numbers(const std::vector<std::string>& names) {
  return numbers_of_names(names);
}

TEST(NumbersOfNames, AreTheRunThatDiffersOrTheLastOne) {
  EXPECT_THAT(numbers({"clip_000_v2", "clip_001_v2", "clip_10_v2"}), Optional(ElementsAre(0, 1, 10)));
  EXPECT_THAT(numbers({"7", "08"}), Optional(ElementsAre(7, 8)));
  EXPECT_THAT(numbers({"take1_003", "take2_003"}), Optional(ElementsAre(1, 2)));
  EXPECT_THAT(numbers({"a_3", "b_3"}), Optional(ElementsAre(3, 3)));
  EXPECT_THAT(numbers({"take1_3", "take2_4"}), Optional(ElementsAre(3, 4)));
  EXPECT_THAT(numbers({"only_5_x"}), Optional(ElementsAre(5)));
  EXPECT_THAT(numbers({"0000000000000000000000012"}), Optional(ElementsAre(12)));
}

TEST(NumbersOfNames, MayNotBeThere) {
  EXPECT_EQ(numbers({}), std::nullopt);
  EXPECT_EQ(numbers({"1", "two"}), std::nullopt);
  EXPECT_EQ(numbers({"1", "1234567890123456789"}), std::nullopt);
}

NumberGaps gaps(const std::vector<std::int64_t>& series) {
  return gaps_between(series);
}

TEST(GapsBetween, NamesWhatIsLeftOut) {
  EXPECT_EQ(gaps({5, 6, 7}).count, 0);
  EXPECT_EQ(gaps({5, 6, 7}).text, "");
  EXPECT_EQ(gaps({0, 1, 2, 5, 6}).text, "3, 4");
  EXPECT_EQ(gaps({0, 1, 3, 9}).text, "2 and 4 to 8");
  EXPECT_EQ(gaps({0, 1, 3, 9}).count, 6);
  EXPECT_EQ(gaps({0, 4}).count, 3);
  EXPECT_EQ(gaps({1, 999'999'999}).count, 999'999'997);
  EXPECT_EQ(gaps({7}).count, 0);
}

TEST(GapsBetween, TellsTheFirstFewOfMany) {
  std::vector<std::int64_t> series{0, 1};
  for (std::int64_t i = 3; i < 100; i += 2) series.push_back(i);
  EXPECT_EQ(gaps(series).text, "2, 4, 6, 8, 10, 12, 14, 16 and others");
  EXPECT_EQ(gaps(series).count, 49);
}

TEST(GapsBetween, KnowsSeriesOfLargerSteps) {
  EXPECT_EQ(gaps({0, 2, 4, 6}).step, 2);
  EXPECT_EQ(gaps({0, 2, 4, 6}).count, 0);
  EXPECT_EQ(gaps({0, 5, 15}).step, 5);
  EXPECT_EQ(gaps({0, 5, 15}).text, "10");
  EXPECT_EQ(gaps({0, 33, 67, 100}).count, 0);
  EXPECT_EQ(gaps({0, 33, 67, 133}).count, 1);
}

}  // namespace
}  // namespace unianimate
