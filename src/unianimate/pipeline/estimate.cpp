#include "unianimate/pipeline/estimate.h"

#include "unianimate/pipeline/sampling_cost.h"

namespace unianimate::pipeline {

std::vector<PhaseEstimate> estimate_phases(const AnimatePlan& plan, family::Family& family,
                                           const PictureSeconds& picture) {
  const family::ClipShape clip{family.geometry().latents_of(plan.largest_segment), plan.latent.height,
                               plan.latent.width};
  const family::ClipShape window = window_shape(family, plan.request, clip);
  const family::WorkSeconds one = family.time_work(plan.request, window);
  const auto frames = static_cast<double>(plan.frames());
  const auto segments = static_cast<double>(plan.segments);
  const double loads = plan.residency.denoiser ? 1 : segments;
  const double decoder_loads = plan.residency.all_models ? 0 : segments * one.load_decoder;
  // Windows that move are others in every step.
  const bool moves =
      plan.windows > plan.segments && plan.request.context.schedule == diffusion::ContextSchedule::kMoving;
  const auto windows = static_cast<double>(plan.windows * (moves ? plan.timesteps : 1));
  const double passes = plan.model_operations / family.operations(window);
  const double decoded = family.decoding_operations(plan.latent, plan.request.decoder);
  const double decoding = static_cast<double>(plan.latent.latents) * one.decode;
  // Decoded between steps; what decodes them takes about as long for an operation.
  const double previews = plan.decoding_operations - decoded;
  std::vector<PhaseEstimate> phases{
      {PhaseKind::kReadPictures, frames * picture.read},
      {PhaseKind::kEncodeReference, one.load_encoders + one.encode, family.encode_operations(plan.request)},
      {PhaseKind::kLoadModel, loads * one.load_denoiser + one.prepare_denoiser},
      {PhaseKind::kSample, windows * one.conditions + passes * one.pass + decoding * previews / decoded,
       plan.model_operations},
      {PhaseKind::kDecode, decoder_loads + one.prepare_decoder + decoding + frames * picture.decode, decoded}};
  if (picture.write > 0) phases.push_back({PhaseKind::kWriteVideo, frames * picture.write});
  return phases;
}

double total_seconds(std::span<const PhaseEstimate> phases) {
  double seconds = 0;
  for (const PhaseEstimate& phase : phases) seconds += phase.seconds;
  return seconds;
}

}  // namespace unianimate::pipeline
