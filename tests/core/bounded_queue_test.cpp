#include "unianimate/core/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

#include "support/expect_to_end.h"

namespace unianimate {
namespace {

TEST(BoundedQueue, GivesBackInOrder) {
  BoundedQueue<int> queue(3);
  for (const int value : {1, 2, 3}) EXPECT_TRUE(queue.push(value));
  for (const int value : {1, 2, 3}) EXPECT_EQ(queue.pop(), value);
}

TEST(BoundedQueue, TellsThatThereIsNoRoomToWhoeverDoesNotWait) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_FALSE(queue.try_push(2));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.try_push(3));
  queue.close();
  EXPECT_EQ(queue.pop(), 3);
  EXPECT_FALSE(queue.try_push(4));
}

TEST(BoundedQueue, WaitsForRoom) {
  BoundedQueue<int> queue(2);
  std::atomic<int> pushed = 0;
  std::jthread producer([&] {
    for (int i = 0; i < 10; ++i) {
      queue.push(i);
      ++pushed;
    }
  });
  for (int i = 0; i < 10; ++i) {
    EXPECT_LE(pushed, i + 2);
    EXPECT_EQ(queue.pop(), i);
  }
}

TEST(BoundedQueue, ClosedGivesWhatIsLeftAndTakesNothing) {
  BoundedQueue<int> queue(3);
  queue.push(7);
  queue.close();
  EXPECT_FALSE(queue.push(8));
  EXPECT_EQ(queue.pop(), 7);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

// Some begin to wait before the queue is closed, some after.
TEST(BoundedQueue, ClosingWakesWhoeverWaits) {
  constexpr int kRounds = 500;
  testing::expect_to_end([] {
    for (int round = 0; round < kRounds; ++round) {
      BoundedQueue<int> empty(1);
      BoundedQueue<int> full(1);
      full.push(1);
      std::latch started(2);
      std::jthread taker([&] {
        started.count_down();
        EXPECT_EQ(empty.pop(), std::nullopt);
      });
      std::jthread giver([&] {
        started.count_down();
        EXPECT_FALSE(full.push(2));
      });
      started.wait();
      if (round % 2 == 0) std::this_thread::yield();
      empty.close();
      full.close();
    }
  });
}

TEST(BoundedQueue, LosesNothingBetweenManyThreads) {
  constexpr int kEach = 2000;
  BoundedQueue<int> queue(4);
  std::atomic<long> sum = 0;
  {
    std::vector<std::jthread> takers;
    for (int i = 0; i < 3; ++i) {
      takers.emplace_back([&] {
        while (const std::optional<int> value = queue.pop()) sum += *value;
      });
    }
    {
      std::vector<std::jthread> givers;
      for (int i = 0; i < 3; ++i) {
        givers.emplace_back([&] {
          for (int value = 1; value <= kEach; ++value) queue.push(value);
        });
      }
    }
    queue.close();
  }
  EXPECT_EQ(sum, 3L * kEach * (kEach + 1) / 2);
}

}  // namespace
}  // namespace unianimate
