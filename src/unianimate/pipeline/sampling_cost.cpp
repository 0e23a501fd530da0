#include "unianimate/pipeline/sampling_cost.h"

#include <algorithm>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/sampler.h"
#include "unianimate/diffusion/shortcuts.h"
#include "unianimate/fields/words.h"
#include "unianimate/pipeline/predictor.h"

namespace unianimate::pipeline {

namespace {

/// `share`: what a pass takes that reuses deep features, of a whole one.
double pass_equivalents(const diffusion::StepWork& work, double share) {
  const auto of_pass = [&](diffusion::PassWork pass) {
    if (pass == diffusion::PassWork::kNone) return 0.0;
    return pass == diffusion::PassWork::kFull ? 1.0 : share;
  };
  return of_pass(work.conditional) + of_pass(work.unconditional);
}

/// Of the request's reused features. Where models have none, what its preset set is told of as the preset's.
family::FeatureReuse feature_reuse(const family::Family& family, const family::AnimateRequest& request,
                                   const family::ClipShape& window) {
  if (!request.shortcuts.reuses_features()) return {};
  try {
    return family.feature_reuse(window, request.shortcuts.features_below());
  } catch (const Error& error) {
    if (request.preset == family::Preset::kExact || request.shortcuts.reuse_below) throw;
    throw Error(ErrorKind::kUsage,
                "the preset {} reuses features below the outermost level, which these models have not; take another "
                "preset, or say reuse_every 1 beside it",
                fields::word(request.preset));
  }
}

}  // namespace

family::ClipShape window_shape(const family::Family& family, const family::AnimateRequest& request,
                               const family::ClipShape& clip) {
  return {std::min(clip.latents, latent_windows(request.context, family.geometry()).size), clip.height, clip.width};
}

SamplingCost sampling_cost(const family::Family& family, const family::AnimateRequest& request,
                           const family::ClipShape& clip, std::int64_t first_step) {
  const diffusion::ContextWindowOptions windows = latent_windows(request.context, family.geometry());
  const auto sampler = diffusion::make_sampler(family.process(), request.sampling);
  const std::vector<diffusion::StepWork> work =
      diffusion::step_work(request.shortcuts, request.guidance_scale, sampler->levels());
  const family::ClipShape window = window_shape(family, request, clip);
  const double operations = family.operations(window);
  const family::FeatureReuse reuse = feature_reuse(family, request, window);
  const std::int64_t kept_passes = request.guidance_scale == 1.0 ? 1 : 2;
  const std::int64_t carried = windows.carry_state ? family.carried_bytes(window) : 0;
  const bool moving = windows.schedule == diffusion::ContextSchedule::kMoving;
  SamplingCost cost;
  StepWindows of_step;
  for (std::int64_t step = 0; step < std::ssize(work); ++step) {
    const diffusion::StepWork& of_models = work[static_cast<std::size_t>(step)];
    if (step == 0 || moving) of_step = step_windows(clip.latents, windows, of_models.windows_of);
    if (step == 0) cost.windows = of_step.windows;
    if (of_step.windows > 1) cost.carried_bytes = kept_passes * carried;
    cost.feature_bytes = std::max(cost.feature_bytes, kept_passes * of_step.windows * reuse.bytes);
    if (step < first_step) continue;
    const double passes = pass_equivalents(of_models, reuse.operations / operations);
    cost.calls += of_step.batches * of_models.passes();
    cost.pass_equivalents += static_cast<double>(of_step.batches) * passes;
    cost.operations += static_cast<double>(of_step.windows) * passes * operations;
  }
  return cost;
}

}  // namespace unianimate::pipeline
