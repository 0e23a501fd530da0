#include "unianimate/diffusion/context_windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <utility>

#include "support/golden_file.h"
#include "unianimate/core/error.h"

namespace unianimate::diffusion {
namespace {

TEST(ContextWindows, AreThePublishedOnes) {
  std::ifstream file(testing::golden_folder() / "windows.json");
  ASSERT_TRUE(file) << "windows.json is missing";
  const auto golden = nlohmann::json::parse(file).at("windows");
  ASSERT_GT(golden.size(), 50U);
  for (const auto& [key, expected] : golden.items()) {
    std::int64_t frames = 0;
    ContextWindowOptions options;
    ASSERT_EQ(std::sscanf(key.c_str(), "%ld,%ld,%ld", &frames, &options.size, &options.overlap), 3) << key;
    nlohmann::json found = nlohmann::json::array();
    for (const ContextWindow& window : context_windows(frames, options, 0)) {
      found.push_back({window.first, window.end() - 1, window.size});
    }
    EXPECT_EQ(found, expected) << key;
  }
}

constexpr std::array kSchedules{ContextSchedule::kPublished, ContextSchedule::kEven, ContextSchedule::kMoving};

TEST(ContextWindows, CoverEveryFrameOfAnyLengthInOrder) {
  for (const ContextSchedule schedule : kSchedules) {
    for (const auto& [size, overlap] : {std::pair<std::int64_t, std::int64_t>{8, 3}, {32, 8}, {5, 0}, {4, 3}, {1, 0}}) {
      const ContextWindowOptions options{.size = size, .overlap = overlap, .schedule = schedule};
      for (const std::int64_t frames : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 31, 32, 33, 57, 150, 1000}) {
        for (std::int64_t step = 0; step < 5; ++step) {
          std::vector<int> covered(static_cast<std::size_t>(frames));
          std::int64_t first = 0;
          for (const ContextWindow& window : context_windows(frames, options, step)) {
            EXPECT_EQ(window.size, std::min(frames, size));
            EXPECT_GE(window.first, first);
            first = window.first;
            for (std::int64_t frame = window.first; frame < window.end(); ++frame) {
              ++covered.at(static_cast<std::size_t>(frame));
            }
          }
          EXPECT_TRUE(std::ranges::all_of(covered, [](int count) { return count > 0; }))
              << fields::word(schedule) << ", " << frames << " frames, step " << step;
        }
      }
    }
  }
}

TEST(ContextWindows, EvenOnesNeverNearlyCoincide) {
  const ContextWindowOptions options{.size = 32, .overlap = 8, .schedule = ContextSchedule::kEven};
  for (std::int64_t frames = 33; frames < 400; ++frames) {
    const std::vector<ContextWindow> windows = context_windows(frames, options, 0);
    EXPECT_EQ(windows.front().first, 0);
    EXPECT_EQ(windows.back().end(), frames);
    std::int64_t nearest = frames;
    std::int64_t farthest = 0;
    for (std::size_t i = 1; i < windows.size(); ++i) {
      nearest = std::min(nearest, windows[i].first - windows[i - 1].first);
      farthest = std::max(farthest, windows[i].first - windows[i - 1].first);
    }
    EXPECT_LE(farthest - nearest, 1) << frames;
    EXPECT_LE(farthest, 24) << frames;
  }
}

TEST(ContextWindows, MovingOnesLieElsewhereInEachStep) {
  const ContextWindowOptions options{.size = 32, .overlap = 8, .schedule = ContextSchedule::kMoving};
  std::set<std::int64_t> places;
  for (std::int64_t step = 0; step < 24; ++step) places.insert(context_windows(300, options, step).at(5).first % 24);
  EXPECT_GE(places.size(), 12U);
}

TEST(ContextWeights, FadeTowardsTheEdgesAndAreNeverZero) {
  EXPECT_EQ(context_weights(4, ContextWeights::kPublished), (std::vector<float>{1, 1, 1, 1}));
  EXPECT_EQ(context_weights(5, ContextWeights::kPyramid), (std::vector<float>{1, 2, 3, 2, 1}));
  const std::vector<float> hann = context_weights(32, ContextWeights::kHann);
  EXPECT_GT(hann.front(), 0.0F);
  EXPECT_NEAR(hann.front(), 0.00240764F, 1e-7F);  // sin²(π/64)
  for (std::size_t i = 0; i < hann.size(); ++i) EXPECT_FLOAT_EQ(hann[i], hann[hann.size() - 1 - i]);
  EXPECT_THROW(fields::parse_word<ContextWeights>("the kind of context weights", "triangle"), Error);
  EXPECT_THROW(fields::parse_word<ContextSchedule>("the context schedule", "uniform"), Error);
}

TEST(ContextWindows, RefuseAnOverlapThatNeverAdvances) {
  EXPECT_THROW(context_windows(100, {.size = 8, .overlap = 8}, 0), Error);
  EXPECT_THROW(context_windows(100, {.size = 0, .overlap = 0}, 0), Error);
}

}  // namespace
}  // namespace unianimate::diffusion
