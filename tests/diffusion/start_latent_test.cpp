#include "unianimate/diffusion/start_latent.h"

#include <gtest/gtest.h>

#include "support/golden_file.h"

namespace unianimate::diffusion {
namespace {

using testing::GoldenFile;

class StartLatentGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(StartLatentGolden, MatchesInThePublishedOrderOfDrawsAndOnlyInIt) {
  const GoldenFile golden(GetParam());
  const at::Tensor expected = golden.tensor("x_T");
  const auto order = golden.metadata("long").is_null() ? NoisePriorOrder::kShort : NoisePriorOrder::kLong;
  const auto other = order == NoisePriorOrder::kShort ? NoisePriorOrder::kLong : NoisePriorOrder::kShort;
  const ItemNoise noise = draw_item_noise(golden.metadata("seed").get<std::uint64_t>(), expected.size(2),
                                          expected.size(3), expected.size(4), at::kCPU);
  const auto found = [&](NoisePriorOrder which) {
    return start_latent(NoiseSchedule(), golden.tensor("ref_latent"), noise,
                        golden.metadata("noise_prior").get<std::int64_t>(), which);
  };
  EXPECT_LE(testing::relative_error(found(order), expected), 5e-6);
  EXPECT_GE(testing::relative_error(found(other), expected), 2e-5);
}

// A folder of other golden files need not have one of each kind.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StartLatentGolden);
INSTANTIATE_TEST_SUITE_P(Files, StartLatentGolden, ::testing::ValuesIn(testing::golden_files("pipeline_")),
                         [](const auto& file) { return testing::test_name(file.param); });

}  // namespace
}  // namespace unianimate::diffusion
