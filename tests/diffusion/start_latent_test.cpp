#include "unianimate/diffusion/start_latent.h"

#include <gtest/gtest.h>

#include "support/golden_file.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/noise_schedule.h"

namespace unianimate::diffusion {
namespace {

using testing::GoldenFile;

class StartLatentGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(StartLatentGolden, MatchesInThePublishedOrderOfDrawsAndOnlyInIt) {
  const GoldenFile golden(GetParam());
  const at::Tensor expected = golden.tensor("x_T");
  const auto order = golden.metadata("long").is_null() ? NoisePriorOrder::kShort : NoisePriorOrder::kLong;
  const auto other = order == NoisePriorOrder::kShort ? NoisePriorOrder::kLong : NoisePriorOrder::kShort;
  const ItemNoise noise = draw_item_noise(golden.metadata("seed").get<std::uint64_t>(), expected.sizes(), at::kCPU);
  const auto found = [&](NoisePriorOrder which) {
    return start_latent(NoiseSchedule().at(golden.metadata("noise_prior").get<double>()), golden.tensor("ref_latent"),
                        noise, which);
  };
  EXPECT_LE(testing::relative_error(found(order), expected), 5e-6);
  EXPECT_GE(testing::relative_error(found(other), expected), 2e-5);
}

TEST(FillNormal, DrawsPieceByPieceWhatOneCallWouldDraw) {
  // Two pieces and a bit, with an end that is no whole block of 16.
  const std::int64_t count = (std::int64_t{1} << 21) + 12'345;
  const at::Tensor whole = at::randn({count}, make_generator(5), at::TensorOptions().dtype(at::kFloat));
  at::Tensor filled = at::empty({count}, at::kFloat);
  int pieces = 0;
  fill_normal(filled, make_generator(5), [&] { ++pieces; });
  EXPECT_GE(pieces, 2);
  EXPECT_TRUE(at::equal(filled, whole));
}

// A folder of other golden files need not have one of each kind.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StartLatentGolden);
INSTANTIATE_TEST_SUITE_P(Files, StartLatentGolden, ::testing::ValuesIn(testing::golden_files("pipeline_")),
                         [](const auto& file) { return testing::test_name(file.param); });

}  // namespace
}  // namespace unianimate::diffusion
