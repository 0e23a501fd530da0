#include "unianimate/training/unet_task.h"

#include <c10/core/GradMode.h>

#include <array>
#include <cmath>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/training/model_export.h"
#include "unianimate/training/train_fields.h"

namespace unianimate::training {

namespace {

using family::Condition;

constexpr const char* kUNetPrefix = "unet.";
constexpr const char* kVisualPrefix = "visual.";

/// Pose pictures uint8 (B, F, H, W, 3) -> (B, 1, F, h, w): 1 where a latent pixel holds a bit of the skeleton.
at::Tensor figure_mask(const at::Tensor& poses, std::int64_t h, std::int64_t w) {
  return std::get<0>(at::adaptive_max_pool2d(skeleton_mask(poses), {h, w})).unsqueeze(1);
}

}  // namespace

void UNetLossOptions::check() const {
  fields::check_ranges(*this, "loss.");
  const double all = reference_share + first_frame_share + empty_share;
  if (all <= 1 + 1e-9) return;
  throw Error(ErrorKind::kUsage, "loss.reference_share + first_frame_share + empty_share must be at most 1, found {}",
              all);
}

UNetTask::UNetTask(UNetTaskModels models, std::shared_ptr<const FootageSource> footage,
                   std::shared_ptr<const FootageSource> kept_aside, const UNetLossOptions& options, std::int64_t batch,
                   std::int64_t microbatches, std::uint64_t seed, bool keep_latents)
    : models_(std::move(models)),
      clips_(models_, std::move(footage), std::move(kept_aside), options.frames, batch, microbatches, seed,
             keep_latents),
      options_((options.check(), options)),
      seed_(seed) {
  models_.lora.check();
  if (models_.lora.rank > 0) adapters_.emplace(models_.unet->named_parameters(), models_.lora, seed);
}

NamedTensors UNetTask::parameters() const {
  NamedTensors all = prefixed(adapters_ ? adapters_->parameters() : models_.unet->named_parameters(), kUNetPrefix);
  if (!models_.train_clip) return all;
  for (NamedTensor& parameter : prefixed(models_.clip_visual->named_parameters(), kVisualPrefix)) {
    all.push_back(std::move(parameter));
  }
  return all;
}

NamedTensors UNetTask::exact_parameters() {
  if (!models_.exact_unet) return {};
  NamedTensors all = prefixed(models_.exact_unet->named_parameters(), kUNetPrefix);
  if (models_.train_clip) {
    for (NamedTensor& parameter : prefixed(models_.exact_visual->named_parameters(), kVisualPrefix)) {
      all.push_back(std::move(parameter));
    }
  }
  models_.exact_unet.reset();
  models_.exact_visual.reset();
  return all;
}

Conditions UNetTask::draw_conditions(RandomStream& random) const {
  double draw = random.uniform();
  const auto falls_into = [&](double share) {
    const bool inside = draw < share;
    draw -= share;
    return inside;
  };
  if (falls_into(options_.reference_share)) return reference_set();
  if (falls_into(options_.first_frame_share)) return first_frame_set();
  Conditions some;
  if (!falls_into(options_.empty_share)) {
    for (const Condition condition : {Condition::kImage, Condition::kRandomRef, Condition::kDwpose}) {
      if (random.chance(0.5)) some.push_back(condition);
    }
  }
  return some;
}

UNetTask::Prediction UNetTask::predict(const ClipBatch& batch, const Conditions& set,
                                       const std::vector<std::int64_t>& timesteps, at::Generator generator) const {
  const auto [x0, reference_latent] = clips_.sample_latents(batch, generator);
  const at::Tensor noise = clips_.noise(x0, options_.offset_noise, generator);
  std::vector<float> signal;
  std::vector<float> spread;
  for (const std::int64_t t : timesteps) {
    signal.push_back(static_cast<float>(std::sqrt(schedule_.alpha_cumprod(t))));
    spread.push_back(static_cast<float>(std::sqrt(1 - schedule_.alpha_cumprod(t))));
  }
  const auto per_clip = [&](const std::vector<float>& values) {
    return at::tensor(values).to(clips_.device()).view({-1, 1, 1, 1, 1});
  };
  const at::Tensor root_alpha = per_clip(signal);
  const at::Tensor root_rest = per_clip(spread);
  const at::Tensor noisy = root_alpha * x0 + root_rest * noise;
  const at::Tensor target = root_alpha * noise - root_rest * x0;
  const models::EncodedConditions encoded = clips_.encode(*models_.unet, batch, set, reference_latent);
  const at::Tensor v = (*models_.unet)(noisy, at::tensor(timesteps).to(clips_.device()), encoded).to(at::kFloat);
  const at::Tensor poses = batch.poses.narrow(1, 1, x0.size(2));
  return {(v - target).square(), figure_mask(poses, x0.size(3), x0.size(4))};
}

Loss UNetTask::loss(std::int64_t microbatch, double) {
  RandomStream random(mixed_seed(seed_, static_cast<std::uint64_t>(microbatch)));
  const Conditions set = draw_conditions(random);
  const auto items = clips_.items_of(microbatch);
  std::vector<ClipTake> takes;
  std::vector<std::int64_t> timesteps;
  for (const auto& item : items) {
    const bool coherent = random.chance(options_.coherent_share);
    takes.push_back(clips_.take(item->footage, coherent, begins_with_reference(set), random));
    const std::int64_t from = random.chance(options_.high_noise_share) ? options_.high_noise_from : 0;
    timesteps.push_back(from + random.below(diffusion::kTimesteps - from));
  }
  const Prediction result = predict(clips_.assemble(items, takes), set, timesteps, make_generator(random.next()));
  const at::Tensor weight = 1 + options_.figure_weight * result.figure;
  Loss loss;
  loss.total = (weight * result.squared_error).mean() / weight.mean();
  loss.parts = {{"v_error", result.squared_error.mean().item<double>()}};
  return loss;
}

void UNetTask::collect_gradients() {
  if (adapters_) adapters_->collect_gradients();
}

void UNetTask::parameters_changed() {
  if (adapters_) adapters_->apply();
}

Measurements UNetTask::validate() {
  const c10::NoGradGuard no_gradients;
  constexpr std::array<std::int64_t, 4> kTimesteps{999, 900, 700, 350};
  double sum = 0;
  double count = 0;
  Measurements by_set;
  for (const Conditions& set : {reference_set(), first_frame_set()}) {
    double sum_of_set = 0;
    for (std::int64_t index = 0; index < clips_.kept_aside(); ++index) {
      const KeptAsideClip clip = clips_.kept_aside_clip(index, set);
      const std::int64_t timestep = kTimesteps.at(static_cast<std::size_t>(index) % kTimesteps.size());
      const Prediction result = predict(clip.batch, set, {timestep}, make_generator(clip.seed));
      sum_of_set += result.squared_error.mean().item<double>();
    }
    by_set["validation_" + std::string(set == reference_set() ? "reference" : "first_frame")] =
        sum_of_set / static_cast<double>(clips_.kept_aside());
    sum += sum_of_set;
    count += static_cast<double>(clips_.kept_aside());
  }
  by_set["validation"] = sum / count;
  return by_set;
}

Image UNetTask::sample_sheet(const Progress& progress) {
  const auto make = [&](const ClipBatch& batch, const Conditions& set) {
    const models::EncodedConditions encoded = clips_.encode(*models_.unet, batch, set, clips_.reference_latent(batch));
    const auto v = [&](const at::Tensor& x, const at::Tensor& timestep) {
      return (*models_.unet)(x, timestep, encoded).to(at::kFloat);
    };
    return clips_.sample(batch, models_.description.defaults.sampling, v, progress);
  };
  return clips_.sample_sheet({reference_set(), reference_set(), reference_set(), first_frame_set()}, {make});
}

void UNetTask::export_model(const std::filesystem::path& folder) const {
  ModelWeights weights;
  if (!adapters_ || models_.train_clip) {
    weights.clip = prefixed(models_.clip_visual->named_parameters(), kVisualPrefix);
    for (NamedTensor& parameter : models_.clip_text->named_parameters()) weights.clip.push_back(std::move(parameter));
  }
  if (adapters_) {
    weights.lora = adapters_->file_content();
  } else {
    weights.unet = models_.unet->named_parameters();
    weights.autoencoder = models_.autoencoder->named_parameters();
  }
  training::export_model(folder, models_.description, weights);
}

}  // namespace unianimate::training
