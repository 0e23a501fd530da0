// Deep features taken from an earlier timestep, against golden numbers. Files of other cuts can be tried in
// $UNIANIMATE_GOLDEN_DIR/approximations: the cuts stand in the names of their tensors.
#include <gtest/gtest.h>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/core/error.h"
#include "unianimate/models/unet/cost.h"
#include "unianimate/models/unet/unet.h"

namespace unianimate::models {
namespace {

using testing::GoldenFile;
using testing::relative_error;
using testing::rule_input;

constexpr LatentShape kShape{1, 5, 24, 16};
constexpr std::int64_t kFullTimestep = 991;
constexpr std::int64_t kCheapTimestep = 958;
constexpr double kTolerance = 4e-6;

UNetConfig tiny_config() {
  UNetConfig config;
  config.dim = 32;
  config.head_dim = 16;
  return config;
}

class DeepFeaturesTest : public ::testing::Test {
 protected:
  DeepFeaturesTest() {
    testing::fill_by_rule(unet_.named_parameters());
    UNetConditions conditions;
    conditions.image = rule_input("image", {1, 1, 1024});
    conditions.dwpose = rule_input("dwpose", {1, 3, 1 + kShape.frames, 192, 128}, 0, 1);
    conditions.randomref = rule_input("randomref", {1, 4, 1, kShape.height, kShape.width});
    encoded_ = unet_.encode(conditions, rule_input("zero_y", {1, 77, 1024}), kShape);
  }

  [[nodiscard]] at::Tensor predict(const at::Tensor& x, std::int64_t timestep, DeepFeatures* features = nullptr) const {
    return unet_(x, at::full({1}, timestep, at::kLong), encoded_, features);
  }

  c10::InferenceMode inference_;
  UNet unet_{tiny_config(), at::TensorOptions()};
  EncodedConditions encoded_;
  at::Tensor x_ = rule_input("x", {1, 4, kShape.frames, kShape.height, kShape.width});
  at::Tensor later_ = x_ + 0.1 * rule_input("x_step", x_.sizes());
};

TEST_F(DeepFeaturesTest, MatchTheGoldenNumbersAtEveryCut) {
  std::size_t compared = 0;
  for (const auto& file : testing::golden_files("", "approximations")) {
    const GoldenFile golden(file);
    for (const std::string& name : golden.names("full.")) {
      const std::int64_t timestep = std::stoll(name.substr(5));
      EXPECT_LE(relative_error(predict(later_, timestep), golden.tensor(name)), kTolerance) << name;
    }
    for (const std::string& name : golden.names("cut")) {
      const std::size_t dot = name.find('.');
      const std::string what = name.substr(dot + 1);
      if (what.find_first_not_of("0123456789") != std::string::npos) continue;
      SCOPED_TRACE(file.filename().string() + ": " + name);
      DeepFeatures features{.cut = std::stoll(name.substr(3, dot - 3))};
      (void)predict(x_, kFullTimestep, &features);
      const std::string prefix = name.substr(0, dot) + ".kept.";
      if (golden.contains(prefix + "first")) {
        // In the order frames, channels, height, width.
        const at::Tensor kept = features.kept.permute({0, 1, 4, 2, 3}).flatten().slice(0, 0, 64);
        EXPECT_LE(relative_error(kept, golden.tensor(prefix + "first")), kTolerance);
        const auto sum = features.kept.to(at::kDouble).sum().item<double>();
        EXPECT_NEAR(sum, golden.tensor(prefix + "sum").item<double>(),
                    kTolerance * features.kept.to(at::kDouble).abs().sum().item<double>());
      }
      EXPECT_LE(relative_error(predict(later_, std::stoll(what), &features), golden.tensor(name)), kTolerance);
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "$UNIANIMATE_GOLDEN_DIR has no folder approximations";
  RecordProperty("cuts", static_cast<int>(compared));
}

TEST_F(DeepFeaturesTest, OfTheSameClipAndTimestepChangeNothing) {
  const at::Tensor whole = predict(later_, kCheapTimestep);
  for (const std::int64_t cut : {0, 3, 5, 10}) {
    DeepFeatures features{.cut = cut};
    EXPECT_TRUE(at::equal(predict(later_, kCheapTimestep, &features), whole)) << cut;
    EXPECT_EQ(features.kept.numel(), deep_feature_elements(tiny_config(), kShape, cut)) << cut;
    const at::Tensor kept = features.kept.clone();
    EXPECT_TRUE(at::equal(predict(later_, kCheapTimestep, &features), whole)) << cut;
    EXPECT_TRUE(at::equal(features.kept, kept)) << cut << ": features are left as they were";
  }
}

TEST_F(DeepFeaturesTest, AreCutWhereTheNetworkHasBlocks) {
  for (const std::int64_t cut : {std::int64_t{-1}, tiny_config().block_count() - 1}) {
    DeepFeatures features{.cut = cut};
    EXPECT_THROW((void)predict(x_, kFullTimestep, &features), Error) << cut;
  }
  EXPECT_EQ(tiny_config().block_count(), 12);
  EXPECT_EQ(tiny_config().cut_below(0), 3);
  UNetConfig three_levels;
  three_levels.dim_mult = {1, 2, 2};
  three_levels.num_res_blocks = 1;
  EXPECT_EQ(three_levels.block_count(), 6);
  EXPECT_EQ(three_levels.cut_below(0), 2);
}

TEST(DeepFeatureCost, IsTheShareOfThePublishedPass) {
  // Computed for 768x512 with 33 frames at once: 32 and the reference.
  constexpr LatentShape kPublished{1, 32, 96, 64};
  const double whole = unet_operations({}, kPublished);
  for (const auto& [cut, share] : {std::pair{0, 0.109}, {2, 0.403}, {3, 0.478}}) {
    EXPECT_NEAR(unet_operations({}, kPublished, cut) / whole, share, 0.001) << cut;
  }
  EXPECT_LT(unet_operations({}, kPublished, 10), whole);
  EXPECT_EQ(deep_feature_elements({}, kPublished, 3), 33 * 48 * 32 * 640);
  EXPECT_EQ(deep_feature_elements({}, kPublished, 2), 33 * 96 * 64 * 640);
}

}  // namespace
}  // namespace unianimate::models
