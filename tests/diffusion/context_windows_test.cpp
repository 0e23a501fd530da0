#include "unianimate/diffusion/context_windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

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
    for (const ContextWindow& window : context_windows(frames, options)) {
      found.push_back({window.front(), window.back(), window.size()});
    }
    EXPECT_EQ(found, expected) << key;
  }
}

TEST(ContextWindows, CoverEveryFrameOfAnyLength) {
  const ContextWindowOptions options{.size = 8, .overlap = 3};
  for (std::int64_t frames = 1; frames <= 60; ++frames) {
    std::vector<int> covered(static_cast<std::size_t>(frames));
    for (const ContextWindow& window : context_windows(frames, options)) {
      EXPECT_EQ(window.size(), static_cast<std::size_t>(std::min<std::int64_t>(frames, 8)));
      for (const std::int64_t frame : window) ++covered.at(static_cast<std::size_t>(frame));
    }
    EXPECT_TRUE(std::ranges::all_of(covered, [](int count) { return count > 0; })) << frames << " frames";
  }
}

TEST(ContextWindows, RefuseAnOverlapThatNeverAdvances) {
  EXPECT_THROW(context_windows(100, {.size = 8, .overlap = 8}), Error);
  EXPECT_THROW(context_windows(100, {.size = 0, .overlap = 0}), Error);
}

}  // namespace
}  // namespace unianimate::diffusion
