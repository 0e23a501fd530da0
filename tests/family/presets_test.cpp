#include "unianimate/family/presets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unianimate/core/error.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/field_texts.h"
#include "unianimate/models/unet/cost.h"

namespace unianimate::family {
namespace {

using ::testing::HasSubstr;

AnimateRequest with(Preset preset, const std::function<void(AnimateRequest&)>& say = {}) {
  return with_preset(AnimateRequest(), [&](AnimateRequest& request) {
    request.preset = preset;
    if (say) say(request);
  });
}

TEST(Presets, OfThemselvesCanBeHadAndTakeLessTheFartherTheyAre) {
  double times_less_work = 0.5;
  for (const auto& word : words(Preset())) {
    const PresetEntry& entry = preset_entry(word.value);
    const AnimateRequest request = with(entry.preset);
    EXPECT_NO_THROW(request.check()) << entry.settings;
    EXPECT_GT(entry.times_less_work, times_less_work) << entry.settings;
    times_less_work = entry.times_less_work;
    EXPECT_TRUE(entry.preset == Preset::kExact || entry.worst_psnr < entry.psnr) << entry.settings;
  }
}

TEST(Presets, OfThePublishedNetworkTakeWhatTheySay) {
  const models::UNetConfig network;
  const models::LatentShape shape{1, 33, 96, 64};
  const auto share =
      models::unet_operations(network, shape, network.cut_below(0)) / models::unet_operations(network, shape);
  const auto work_of = [&](const AnimateRequest& request) {
    const std::vector<diffusion::Level> levels(static_cast<std::size_t>(request.sampling.step_count()));
    double passes = 0;
    for (const diffusion::StepWork& step : diffusion::step_work(request.shortcuts, request.guidance_scale, levels)) {
      for (const diffusion::PassWork pass : {step.conditional, step.unconditional}) {
        passes += pass == diffusion::PassWork::kFull ? 1 : pass == diffusion::PassWork::kReusing ? share : 0;
      }
    }
    return passes;
  };
  AnimateRequest exact;
  exact.sampling.timesteps.rule = diffusion::TimestepRule::kPublished;
  for (const auto& word : words(Preset())) {
    const PresetEntry& entry = preset_entry(word.value);
    EXPECT_NEAR(work_of(exact) / work_of(with(entry.preset)), entry.times_less_work, 0.05) << entry.settings;
  }
}

TEST(Presets, ExactSetsNothing) {
  EXPECT_TRUE(fields::differences(with(Preset::kExact), AnimateRequest()).empty());
}

TEST(Presets, GiveWayToWhatIsSaid) {
  const AnimateRequest request = with(Preset::kBalanced, [](AnimateRequest& taken) { taken.sampling.steps = 25; });
  EXPECT_EQ(request.sampling.steps, 25);
  EXPECT_EQ(request.sampling.timesteps.text(), "991-40");
  EXPECT_EQ(preset_options(request), "--timesteps 991-40 --reuse-every 2");
  EXPECT_EQ(preset_text(request), "balanced: --timesteps 991-40 --reuse-every 2 (in part)");
  EXPECT_FALSE(keeps_preset(request));
  EXPECT_TRUE(keeps_preset(with(Preset::kBalanced)));
  EXPECT_THAT(preset_text(with(Preset::kBalanced)), HasSubstr("times less work"));
}

TEST(Presets, TellTheirDistanceOnlyWhereItWasMeasured) {
  const auto text = [](const std::function<void(AnimateRequest&)>& say) {
    return preset_text(with(Preset::kDraft, say));
  };
  EXPECT_EQ(
      text({}),
      "draft: --timesteps 949-50 --steps 8 --reuse-every 2 (5.2 times less work of the published network; 46.5 dB "
      "from exact videos, 43.6 the worst of 16 people, of a small model in fp32)");
  const std::function<void(AnimateRequest&)> others[] = {
      [](AnimateRequest& taken) { taken.guidance_scale = 9; },
      [](AnimateRequest& taken) { taken.guidance_scale = 1; },
      [](AnimateRequest& taken) { taken.noise_prior = 300; },
      [](AnimateRequest& taken) { taken.noise_prior_order = diffusion::NoisePriorOrder::kLong; },
      [](AnimateRequest& taken) { taken.decoder = DecoderChoice::kSmall; },
      [](AnimateRequest& taken) { taken.conditions = ConditionSet::parse("first-frame"); },
      [](AnimateRequest& taken) { taken.chain.emplace(); },
  };
  for (const auto& other : others) {
    EXPECT_EQ(text(other),
              "draft: --timesteps 949-50 --steps 8 --reuse-every 2 (5.2 times less work of the published network)");
  }
}

TEST(Presets, LeaveOutWhatDoesNotGoWithIt) {
  const AnimateRequest one_step = with(Preset::kDraft, [](AnimateRequest& taken) { taken.sampling.steps = 1; });
  EXPECT_NO_THROW(one_step.check());
  const auto extrapolate = [](AnimateRequest& taken) { taken.shortcuts.extrapolate = true; };
  EXPECT_NO_THROW(with(Preset::kClose, extrapolate).check());
  for (const auto& word : words(Preset())) {
    const PresetEntry& entry = preset_entry(word.value);
    EXPECT_NO_THROW(with(entry.preset, [](AnimateRequest& taken) { taken.guidance_scale = 1; }).check());
  }
}

TEST(Presets, NeverLeaveOutWhatIsSaid) {
  const auto problem = [](Preset preset, const std::function<void(AnimateRequest&)>& say) -> std::string {
    try {
      with(preset, say).check();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(problem(Preset::kClose,
                      [](AnimateRequest& taken) {
                        taken.shortcuts.guidance_every = 2;
                        taken.guidance_scale = 1;
                      }),
              HasSubstr("guidance_every has no effect with guidance_scale 1"));
  EXPECT_THAT(problem(Preset::kBalanced,
                      [](AnimateRequest& taken) {
                        taken.shortcuts.reuse_every = 2;
                        taken.sampling.steps = 1;
                      }),
              HasSubstr("reuse_every needs at least two steps"));
  EXPECT_THAT(problem(Preset::kDraft,
                      [](AnimateRequest& taken) {
                        taken.shortcuts.reuse_every = 2;
                        taken.shortcuts.extrapolate = true;
                      }),
              HasSubstr("extrapolate does not go with features that are reused every 2 steps (reuse_every)"));
}

TEST(Presets, DoNotGoWithDistilledModels) {
  const auto distilled = [](AnimateRequest& taken) { taken.sampling.sampler = "lcm"; };
  EXPECT_THROW(with(Preset::kDraft, distilled).check(), Error);
  EXPECT_NO_THROW(with(Preset::kExact, distilled).check());
}

TEST(Presets, SayWhereTheyTakeMoreStepsThanTheModelIsMadeFor) {
  AnimateRequest quick;
  quick.sampling.steps = 1;
  EXPECT_THAT(steps_note(with(Preset::kDraft), quick), HasSubstr("this model is best at 1"));
  EXPECT_EQ(steps_note(with(Preset::kDraft), AnimateRequest()), "");
  EXPECT_EQ(steps_note(with(Preset::kExact), quick), "");
  const auto more = [](AnimateRequest& taken) { taken.sampling.steps = 40; };
  EXPECT_EQ(steps_note(with(Preset::kDraft, more), AnimateRequest()), "") << "it is not the preset that says so";
}

}  // namespace
}  // namespace unianimate::family
