#include "unianimate/nn/in_parts.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "support/rule.h"

namespace unianimate::nn {
namespace {

/// Frames of a clip that are computed one after the other: 1 MB each, of which only so many may be at once.
constexpr std::int64_t kFrames = 40;

class InPartsTest : public ::testing::Test {
 protected:
  at::Tensor doubled(std::int64_t axis, std::int64_t widest) {
    counts_.clear();
    return in_parts(
        x_, axis,
        [&](std::int64_t first, std::int64_t count) {
          EXPECT_EQ(first, std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}));
          counts_.push_back(count);
          return at::cat({x_, x_}, -1).narrow(axis, first, count);
        },
        widest);
  }

  at::Tensor x_ = testing::rule_input("x", {1, kFrames, 64, 64, 64});
  at::Tensor expected_ = at::cat({x_, x_}, -1);
  std::vector<std::int64_t> counts_;
};

TEST_F(InPartsTest, PutsThePartsBesideEachOther) {
  const c10::InferenceMode inference;
  for (const std::int64_t axis : {1, 2}) {
    EXPECT_TRUE(at::equal(doubled(axis, 1), expected_)) << axis;
    EXPECT_GT(counts_.size(), 1U) << axis;
  }
}

TEST_F(InPartsTest, TakesFewerWhereWhatLiesBetweenIsWider) {
  const c10::InferenceMode inference;
  static_cast<void>(doubled(1, 1));
  const std::vector<std::int64_t> narrow = counts_;
  EXPECT_TRUE(at::equal(doubled(1, 3), expected_));
  EXPECT_EQ(counts_.front(), narrow.front() / 3);
  EXPECT_TRUE(at::equal(doubled(1, 1000), expected_));
  EXPECT_EQ(counts_, std::vector<std::int64_t>(kFrames, 1));
}

TEST_F(InPartsTest, AreOneWhereGradientsAreRecorded) {
  EXPECT_TRUE(at::equal(doubled(1, 1), expected_));
  EXPECT_EQ(counts_, std::vector<std::int64_t>{kFrames});
}

}  // namespace
}  // namespace unianimate::nn
