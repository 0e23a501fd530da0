// Sampling that a file's metadata ask for because it was distilled.
#include "unianimate/family/distillation.h"

#include <gmock/gmock.h>

#include <map>

#include "support/temporary_folder.h"
#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"
#include "unianimate/diffusion/sampler.h"

namespace unianimate::family {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DistillationTest : public ::testing::Test {
 protected:
  std::optional<Distillation> read(const checkpoint::Metadata& metadata) {
    checkpoint::save_safetensors(file_, {{"weight", at::ones({2})}}, metadata);
    return read_distillation(checkpoint::open_checkpoint(file_), file_);
  }
  std::string refusal(const checkpoint::Metadata& metadata) {
    try {
      read(metadata);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "not refused";
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "fast.safetensors";
};

TEST_F(DistillationTest, SetsSamplerTimestepsStepsAndGuidance) {
  const auto found = read({{"sampler", "lcm"}, {"steps", "8"}, {"grid", "50"}, {"guidance", "2.5"}});
  ASSERT_TRUE(found);
  AnimateRequest request;
  request.guidance_scale = 7;
  found->apply(request);
  EXPECT_EQ(request.sampling.sampler, "lcm");
  EXPECT_EQ(request.sampling.steps, 8);
  EXPECT_EQ(request.sampling.timesteps.rule, diffusion::TimestepRule::kDistillation);
  EXPECT_EQ(request.guidance_scale, 1) << "it learnt its teacher's guidance";
  EXPECT_NO_THROW(request.check());
  EXPECT_THAT(found->sentence(), AllOf(HasSubstr("fast.safetensors"), HasSubstr("lcm, 8 steps"), HasSubstr("2.5")));
}

TEST_F(DistillationTest, PhasesEndAtTheirEdges) {
  const auto found = read({{"sampler", "phased"}, {"grid", "50"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sampling.sampler, "ddim");
  EXPECT_THAT(found->sampling.timesteps.numbers, ElementsAre(999, 739, 499, 239)) << "four steps where nothing is said";
  for (const std::string steps : {"1", "7", "50"}) {
    AnimateRequest request;
    read({{"sampler", "phased"}, {"grid", "50"}, {"steps", steps}})->apply(request);
    EXPECT_NO_THROW(request.check()) << steps;
    EXPECT_EQ(std::to_string(request.sampling.step_count()), steps);
  }
}

TEST_F(DistillationTest, OtherFilesSayNothing) {
  EXPECT_FALSE(read({}));
  EXPECT_FALSE(read({{"format", "pt"}, {"steps", "many"}}));
  EXPECT_FALSE(read({{"sampler", "Euler a"}})) << "some other program's word";
}

TEST_F(DistillationTest, WhatNobodyKnowsIsRefused) {
  EXPECT_THAT(refusal({{"sampler", "magic"}, {"grid", "50"}}),
              AllOf(HasSubstr("fast.safetensors"), HasSubstr("sampler 'magic'"), HasSubstr("lcm, tcd or phased")));
  EXPECT_THAT(refusal({{"sampler", "lcm"}, {"grid", "1000"}}), HasSubstr("grid '1000', and 50 is expected"));
  for (const std::string steps : {"", "0", "51", "-4", "4.5", "4 ", "999999999999999999999", "four"}) {
    EXPECT_THAT(refusal({{"sampler", "tcd"}, {"grid", "50"}, {"steps", steps}}), HasSubstr("a number from 1 to 50"));
  }
  for (const std::string guidance : {"nan", "inf", "-1", "1e9", "2,5"}) {
    EXPECT_THAT(refusal({{"sampler", "tcd"}, {"grid", "50"}, {"guidance", guidance}}), HasSubstr("from 0 to 100"));
  }
  EXPECT_LT(refusal({{"sampler", std::string(1'000'000, 'x')}, {"grid", "50"}}).size(), 2000U);
}

}  // namespace
}  // namespace unianimate::family
