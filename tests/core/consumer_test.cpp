#include "unianimate/core/consumer.h"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <vector>

namespace unianimate {
namespace {

TEST(Consumer, TakesEverythingInOrder) {
  std::vector<int> taken;
  Consumer<int> consumer(2, [&](int item) { taken.push_back(item); });
  for (int i = 0; i < 100; ++i) consumer.give(i);
  consumer.finish();
  ASSERT_EQ(taken.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(taken[static_cast<std::size_t>(i)], i);
}

TEST(Consumer, MoreIsMadeWhileOneIsWorkedOn) {
  std::promise<void> may_go_on;
  std::shared_future<void> permission = may_go_on.get_future().share();
  int taken = 0;
  Consumer<int> consumer(1, [&](int) {
    permission.wait();
    ++taken;
  });
  consumer.give(1);
  consumer.give(2);  // would wait for ever if the first had to be done with
  may_go_on.set_value();
  consumer.finish();
  EXPECT_EQ(taken, 2);
}

TEST(Consumer, WhatItThrowsReachesWhoeverGives) {
  int taken = 0;
  Consumer<int> consumer(1, [&](int) {
    ++taken;
    throw std::runtime_error("full");
  });
  const auto give_much = [&] {
    for (int i = 0; i < 10; ++i) consumer.give(i);
    consumer.finish();
  };
  EXPECT_THROW(give_much(), std::runtime_error);
  EXPECT_EQ(taken, 1);

  Consumer<int> at_the_end(4, [](int) { throw std::runtime_error("full"); });
  EXPECT_THROW(
      {
        at_the_end.give(1);
        at_the_end.finish();
      },
      std::runtime_error);
}

TEST(Consumer, WhatWasGivenIsTakenWhereNobodyFinishes) {
  std::vector<int> taken;
  {
    Consumer<int> consumer(8, [&](int item) { taken.push_back(item); });
    for (int i = 0; i < 5; ++i) consumer.give(i);
  }
  EXPECT_EQ(taken, (std::vector<int>{0, 1, 2, 3, 4}));
  Consumer<int> that_fails(1, [](int) { throw std::runtime_error("lost"); });
  that_fails.give(1);
}

}  // namespace
}  // namespace unianimate
