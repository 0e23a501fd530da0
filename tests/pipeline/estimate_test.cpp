// Seconds and operations of each phase, from what a family says of its parts.
#include "unianimate/pipeline/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/toy_family.h"
#include "unianimate/pipeline/sampling_cost.h"

namespace unianimate::pipeline {
namespace {

using testing::kToySeconds;

class EstimateTest : public ::testing::Test {
 protected:
  EstimateTest() {
    request_.width = 16;
    request_.height = 24;
    request_.frames.reset();
    request_.frame_interval = 1;
    request_.guidance_scale = 2;
    request_.sampling.steps = 3;
    request_.context.schedule = diffusion::ContextSchedule::kPublished;
  }

  [[nodiscard]] AnimatePlan plan(std::int64_t poses) const {
    return AnimationPlanner(*family_).plan_for_poses(request_, poses);
  }

  const std::unique_ptr<family::Family> family_ = testing::make_toy_family({});
  family::AnimateRequest request_;
};

std::vector<PhaseKind> kinds(const std::vector<PhaseEstimate>& phases) {
  std::vector<PhaseKind> found;
  for (const PhaseEstimate& phase : phases) found.push_back(phase.kind);
  return found;
}

TEST_F(EstimateTest, HasEveryPhaseOfTheWork) {
  const AnimatePlan planned = plan(13);  // four latents, all in one window
  const std::vector<PhaseEstimate> phases = estimate_phases(planned, *family_, {.read = 0.5, .decode = 0.25});
  ASSERT_EQ(kinds(phases), (std::vector{PhaseKind::kReadPictures, PhaseKind::kEncodeReference, PhaseKind::kLoadModel,
                                        PhaseKind::kSample, PhaseKind::kDecode}));
  EXPECT_DOUBLE_EQ(phases[0].seconds, 13 * 0.5);
  EXPECT_EQ(phases[0].operations, 0) << "no model computes";
  EXPECT_DOUBLE_EQ(phases[1].seconds, kToySeconds.load_encoders + kToySeconds.encode);
  EXPECT_DOUBLE_EQ(phases[1].operations, 16 * 24);
  EXPECT_DOUBLE_EQ(phases[2].seconds, kToySeconds.load_denoiser + kToySeconds.prepare_denoiser);
  EXPECT_DOUBLE_EQ(phases[3].seconds,
                   kToySeconds.conditions + static_cast<double>(planned.model_calls) * kToySeconds.pass);
  EXPECT_DOUBLE_EQ(phases[3].operations, planned.model_operations);
  EXPECT_DOUBLE_EQ(phases[4].seconds, kToySeconds.prepare_decoder + 4 * kToySeconds.decode + 13 * 0.25);
  EXPECT_DOUBLE_EQ(phases[4].operations, testing::kToyDecoderOperations * 4 * 4 * 6);
  double sum = 0;
  for (const PhaseEstimate& phase : phases) sum += phase.seconds;
  EXPECT_DOUBLE_EQ(total_seconds(phases), sum);
}

TEST_F(EstimateTest, AJobIsReadAgainAtTheEnd) {
  const std::vector<PhaseEstimate> phases = estimate_phases(plan(13), *family_, {.read = 0, .decode = 0, .write = 2});
  EXPECT_EQ(phases.back().kind, PhaseKind::kWriteVideo);
  EXPECT_DOUBLE_EQ(phases.back().seconds, 13 * 2);
}

TEST_F(EstimateTest, WhatDoesNotStayInMemoryIsLoadedForEverySegment) {
  request_.chain = family::ChainOptions{.segment_size = 13, .segment_overlap = 2, .color_match = false};
  AnimatePlan planned = plan(24);
  ASSERT_EQ(planned.segments, 2);
  const auto load_and_decode = [&] {
    const std::vector<PhaseEstimate> phases = estimate_phases(planned, *family_, {});
    return std::pair(phases[2].seconds, phases[4].seconds);
  };
  const auto [load, decode] = load_and_decode();
  EXPECT_DOUBLE_EQ(load, kToySeconds.load_denoiser + kToySeconds.prepare_denoiser);
  planned.residency = {.all_models = false, .denoiser = false};
  const auto [loads, decoder_loads] = load_and_decode();
  EXPECT_DOUBLE_EQ(loads - load, kToySeconds.load_denoiser) << "what is prepared stays known";
  EXPECT_DOUBLE_EQ(decoder_loads - decode, 2 * kToySeconds.load_decoder);
}

TEST_F(EstimateTest, StepsThatAreDoneCostNothing) {
  const family::ClipShape clip{4, 6, 4};
  const SamplingCost all = sampling_cost(*family_, request_, clip);
  const SamplingCost rest = sampling_cost(*family_, request_, clip, 1);
  EXPECT_EQ(all.calls - rest.calls, 2) << "with conditions and without";
  EXPECT_DOUBLE_EQ(all.operations - rest.operations, 2 * family_->operations(clip));
  EXPECT_EQ(sampling_cost(*family_, request_, clip, 1000).operations, 0);
}

}  // namespace
}  // namespace unianimate::pipeline
