#include "unianimate/diffusion/timesteps.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "support/golden_file.h"
#include "unianimate/core/error.h"

namespace unianimate::diffusion {
namespace {

using ::testing::HasSubstr;
using Numbers = std::vector<std::int64_t>;

std::string problem_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

Numbers list(const std::string& text, std::int64_t steps) {
  const TimestepList list = TimestepList::parse(text);
  check_timesteps(list, steps);
  return timesteps(list, steps);
}

TEST(Timesteps, AreThoseOfTheGoldenFile) {
  std::ifstream file(testing::golden_folder() / "samplers/timesteps.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  const std::vector<std::pair<std::string, std::string>> names{{"published", "published"},
                                                               {"trailing", "trailing"},
                                                               {"linspace", "linspace"},
                                                               {"multistep_leading", "multistep-leading"},
                                                               {"lcm_50", "distillation"}};
  ASSERT_GE(golden.at("grids").size(), 20U);
  for (const auto& [steps, grids] : golden.at("grids").items()) {
    for (const auto& [key, word] : names) {
      EXPECT_EQ(list(word, std::stoll(steps)), grids.at(key).get<Numbers>()) << word << ", " << steps << " steps";
    }
  }
}

TEST(Timesteps, DescendForEveryStepCountOrAreRefused) {
  for (const std::string text : {"published", "trailing", "linspace", "multistep-leading", "distillation", "949-25"}) {
    const TimestepList rule = TimestepList::parse(text);
    std::set<std::int64_t> refused;
    for (std::int64_t steps = 1; steps <= kTimesteps; ++steps) {
      if (!problem_of([&] { check_timesteps(rule, steps); }).empty()) {
        refused.insert(steps);
        continue;
      }
      const Numbers times = timesteps(rule, steps);
      ASSERT_FALSE(times.empty());
      if (text != "published") {
        EXPECT_EQ(times.size(), static_cast<std::size_t>(steps));
      }
      EXPECT_LE(times.front(), 999);
      EXPECT_GE(times.back(), 0);
      for (std::size_t i = 1; i < times.size(); ++i) {
        const bool clamped = text == "published" && i == 1 && times[0] == 999 && times[1] == 999;
        EXPECT_TRUE(times[i] < times[i - 1] || clamped) << text << ", " << steps << " steps, " << i;
      }
    }
    const std::size_t expected = text == "distillation"        ? 950
                                 : text == "949-25"            ? 75
                                 : text == "multistep-leading" ? 2
                                 : text == "linspace"          ? 1
                                                               : 0;
    EXPECT_EQ(refused.size(), expected) << text;
  }
}

TEST(Timesteps, MayBeginAndEndAnywhere) {
  EXPECT_EQ(list("949-25", 1), Numbers{949});
  EXPECT_EQ(list("949-25", 2), (Numbers{949, 25}));
  EXPECT_EQ(list("949-24", 3), (Numbers{949, 487, 24})) << "halves are rounded up";
  EXPECT_EQ(list("10-7", 4), (Numbers{10, 9, 8, 7}));
  EXPECT_EQ(list("999,759,499,259", 4), (Numbers{999, 759, 499, 259}));
  EXPECT_EQ(list("500", 1), Numbers{500});
}

TEST(Timesteps, AreWrittenAsTheyAreRead) {
  for (const std::string text :
       {"published", "trailing", "linspace", "multistep-leading", "distillation", "949-25", "999,0", "7"}) {
    EXPECT_EQ(TimestepList::parse(text).text(), text);
  }
  EXPECT_EQ(TimestepList::parse("leading"), TimestepList()) << "its former name";
}

TEST(Timesteps, RefuseWhatIsNoList) {
  for (const std::string text : {"", ",", "999,", ",999", "999,,1", "one", "999 1", "949-", "-25", "949--25", "9-5-1",
                                 "1e2", "99999999999999999999", "0x1", "999,1.5", "Trailing"}) {
    const std::string problem = problem_of([&] { (void)TimestepList::parse(text); });
    if (text == "-25") {
      EXPECT_THAT(problem, HasSubstr("between 0 and 999, found -25"));
    } else {
      EXPECT_THAT(problem, HasSubstr("the timesteps must be published, trailing, linspace, multistep-leading or "
                                     "distillation, or FIRST-LAST such as 949-25, or a descending list"))
          << text;
      EXPECT_THAT(problem, HasSubstr(fmt::format("found '{}'", text)));
    }
  }
}

TEST(Timesteps, RefuseNumbersThatDoNotDescendOrDoNotExist) {
  const auto problem = [](const std::string& text) { return problem_of([&] { (void)TimestepList::parse(text); }); };
  EXPECT_THAT(problem("1,999"), HasSubstr("must descend, but 1 stands before 999"));
  EXPECT_THAT(problem("999,500,500"), HasSubstr("must descend, but 500 stands before 500"));
  EXPECT_THAT(problem("25-949"), HasSubstr("must descend, but 25 stands before 949"));
  EXPECT_THAT(problem("1000,5"), HasSubstr("between 0 and 999, found 1000"));
  EXPECT_THAT(problem("1000-5"), HasSubstr("between 0 and 999, found 1000"));
  EXPECT_THAT(problem("5,-1"), HasSubstr("between 0 and 999, found -1"));
  const std::string all = TimestepList{TimestepRule::kOwn, list("999-0", 1000)}.text();
  EXPECT_EQ(problem(all), "");
  EXPECT_THAT(problem(all + ",0"), HasSubstr("must descend"));
}

TEST(Timesteps, RefuseMoreStepsThanThereAre) {
  const auto problem = [](const std::string& text, std::int64_t steps) {
    return problem_of([&] { check_timesteps(TimestepList::parse(text), steps); });
  };
  EXPECT_THAT(problem("distillation", 51), HasSubstr("the timesteps distillation are 50 at most, found 51 steps"));
  EXPECT_THAT(problem("10-7", 5), HasSubstr("the timesteps 10-7 are 4 at most, found 5 steps"));
  EXPECT_THAT(problem("linspace", 1000), HasSubstr("999 at most"));
  EXPECT_THAT(problem("multistep-leading", 999), HasSubstr("998 at most"));
  EXPECT_THAT(problem("999,5", 3), HasSubstr("steps must be 2, the number of the timesteps listed, found 3"));
}

}  // namespace
}  // namespace unianimate::diffusion
