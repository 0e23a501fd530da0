#include "unianimate/training/unet_task.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/sampling_loop.h"
#include "unianimate/diffusion/start_latent.h"
#include "unianimate/family/pictures.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/media/pictures/resize.h"
#include "unianimate/training/model_export.h"
#include "unianimate/training/train_fields.h"

namespace unianimate::training {

namespace {

using family::Condition;
using family::ConditionSet;

constexpr const char* kUNetPrefix = "unet.";
constexpr const char* kVisualPrefix = "visual.";
constexpr std::uint64_t kValidationStream = 0x7A11DA7E;
constexpr std::int64_t kSheetPeople = 4;

std::vector<Condition> reference_set() {
  return ConditionSet().conditions();
}
std::vector<Condition> first_frame_set() {
  return ConditionSet::parse("first-frame").conditions();
}
bool contains(const std::vector<Condition>& set, Condition condition) {
  return std::ranges::find(set, condition) != set.end();
}

/// Pose pictures uint8 (B, F, H, W, 3) -> (B, 1, F, h, w): 1 where a latent pixel holds a bit of the skeleton.
at::Tensor figure_mask(const at::Tensor& poses, std::int64_t h, std::int64_t w) {
  return std::get<0>(at::adaptive_max_pool2d(skeleton_mask(poses), {h, w})).unsqueeze(1);
}

/// This process's share of the processors, which have nothing to do while a card computes.
int spare_threads(at::Device device) {
  return device.is_cpu() ? 0 : std::max(1, at::get_num_threads() - 1);
}

at::Tensor as_clip(const at::Tensor& bytes) {
  return family::unit_range(bytes).permute({0, 4, 1, 2, 3});
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
      footage_(std::move(footage)),
      kept_aside_(std::move(kept_aside)),
      options_((options.check(), options)),
      order_(footage_->size(), microbatches, batch, seed),
      seed_(seed),
      empty_prompt_(models_.clip_text->embed_empty_prompt().detach()),
      device_(empty_prompt_.device()),
      cache_(*footage_, *models_.autoencoder, keep_latents, spare_threads(device_)),
      kept_aside_cache_(*kept_aside_, *models_.autoencoder, true) {
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

UNetTask::Take UNetTask::take(const Footage& footage, bool coherent, bool from_reference, RandomStream& random) const {
  Take result;
  const std::int64_t moments = footage.moments();
  if (coherent || from_reference) {
    // Stretched over as long a time as there are frames for.
    const std::int64_t most = options_.frames > 1 ? (footage.coherent - 1) / (options_.frames - 1) : 1;
    const std::int64_t interval = 1 + random.below(std::max<std::int64_t>(1, most));
    const std::int64_t last = footage.coherent - 1 - interval * (options_.frames - 1);
    const std::int64_t first = random.below(last + 1);
    for (std::int64_t i = 0; i < options_.frames; ++i) result.frames.push_back(first + i * interval);
  } else {
    std::vector<std::int64_t> all(static_cast<std::size_t>(moments));
    std::iota(all.begin(), all.end(), 0);
    for (std::int64_t i = 0; i < options_.frames; ++i) {
      std::swap(all[static_cast<std::size_t>(i)], all[static_cast<std::size_t>(i + random.below(moments - i))]);
    }
    result.frames.assign(all.begin(), all.begin() + options_.frames);
  }
  result.reference = from_reference ? result.frames.front() : random.below(moments);
  return result;
}

UNetTask::Batch UNetTask::assemble(const std::vector<std::shared_ptr<const EncodedFootage>>& items,
                                   const std::vector<Take>& takes) const {
  std::vector<at::Tensor> moments;
  std::vector<at::Tensor> reference_moments;
  std::vector<at::Tensor> poses;
  std::vector<at::Tensor> references;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Take& take = takes[i];
    const EncodedFootage& item = *items[i];
    std::vector<std::int64_t> with_reference{take.reference};
    with_reference.insert(with_reference.end(), take.frames.begin(), take.frames.end());
    moments.push_back(item.moments.index_select(0, at::tensor(take.frames).to(item.moments.device())));
    reference_moments.push_back(item.moments[take.reference]);
    poses.push_back(item.footage.poses.index_select(0, at::tensor(with_reference)));
    references.push_back(item.footage.pictures[take.reference]);
  }
  return {at::stack(moments), at::stack(reference_moments), at::stack(poses).to(device_), at::stack(references)};
}

UNetTask::Conditions UNetTask::draw_conditions(RandomStream& random) const {
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

at::Tensor UNetTask::embed_picture(const at::Tensor& pictures) const {
  const auto side = static_cast<int>(models_.description.configs.clip.vision.image_size);
  std::vector<at::Tensor> sized;
  for (const at::Tensor& picture : pictures.unbind(0)) {
    const Image small = resize_bilinear(family::image_from_tensor(picture), side, side);
    sized.push_back(family::unit_range(family::tensor_from_image(small)).permute({2, 0, 1}));
  }
  return (*models_.clip_visual)(models::normalize_for_clip(at::stack(sized)).to(device_)).unsqueeze(1);
}

models::UNetConditions UNetTask::conditions(const Batch& batch, const Conditions& set,
                                            const at::Tensor& reference_latent) const {
  models::UNetConditions given;
  if (contains(set, Condition::kImage)) given.image = embed_picture(batch.reference);
  if (contains(set, Condition::kDwpose)) given.dwpose = as_clip(batch.poses);
  if (contains(set, Condition::kRandomRef)) given.randomref = reference_latent.unsqueeze(2);
  if (contains(set, Condition::kLocalImage)) {
    given.local_image =
        as_clip(batch.reference.unsqueeze(1).to(device_)).expand({-1, -1, batch.moments.size(1), -1, -1});
  }
  return given;
}

UNetTask::Prediction UNetTask::predict(const Batch& batch, const Conditions& set,
                                       const std::vector<std::int64_t>& timesteps, at::Generator generator) const {
  const auto normal = [&](at::IntArrayRef shape) {
    return at::empty(shape, at::kFloat).normal_(0, 1, generator).to(device_);
  };
  // 1. clean latents (B, 4, F, h, w)
  const auto latent_of = [&](const at::Tensor& moments) {
    const at::Tensor flat = moments.flatten(0, -4);
    const at::Tensor noise = normal({flat.size(0), flat.size(1) / 2, flat.size(2), flat.size(3)});
    return models_.autoencoder->sample_latent(flat, noise);
  };
  const at::Tensor x0 = latent_of(batch.moments).unflatten(0, {batch.moments.size(0), -1}).transpose(1, 2).contiguous();
  const at::Tensor reference_latent = latent_of(batch.reference_moments);

  // 2. noise
  const at::Tensor offset = normal({x0.size(0), x0.size(1), x0.size(2), 1, 1});
  const at::Tensor noise = normal(x0.sizes()) + options_.offset_noise * offset;
  std::vector<float> signal;
  std::vector<float> spread;
  for (const std::int64_t t : timesteps) {
    signal.push_back(static_cast<float>(std::sqrt(schedule_.alpha_cumprod(t))));
    spread.push_back(static_cast<float>(std::sqrt(1 - schedule_.alpha_cumprod(t))));
  }
  const auto per_clip = [&](const std::vector<float>& values) {
    return at::tensor(values).to(device_).view({-1, 1, 1, 1, 1});
  };
  const at::Tensor root_alpha = per_clip(signal);
  const at::Tensor root_rest = per_clip(spread);
  const at::Tensor noisy = root_alpha * x0 + root_rest * noise;
  const at::Tensor target = root_alpha * noise - root_rest * x0;

  // 3. prediction
  const models::LatentShape shape{x0.size(0), x0.size(2), x0.size(3), x0.size(4)};
  const models::EncodedConditions encoded =
      models_.unet->encode(conditions(batch, set, reference_latent), empty_prompt_, shape);
  const at::Tensor v = (*models_.unet)(noisy, at::tensor(timesteps).to(device_), encoded).to(at::kFloat);
  const at::Tensor poses = batch.poses.narrow(1, 1, x0.size(2));
  return {(v - target).square(), figure_mask(poses, shape.height, shape.width)};
}

Loss UNetTask::loss(std::int64_t microbatch, double) {
  RandomStream random(mixed_seed(seed_, static_cast<std::uint64_t>(microbatch)));
  const Conditions set = draw_conditions(random);
  const bool from_reference = contains(set, Condition::kLocalImage);
  std::vector<std::shared_ptr<const EncodedFootage>> items;
  std::vector<Take> takes;
  std::vector<std::int64_t> timesteps;
  const std::int64_t next = order_.next(microbatch);
  for (const std::int64_t soon : {microbatch, next, order_.next(next)}) cache_.expect(order_.items_of(soon));
  for (const std::int64_t index : order_.items_of(microbatch)) {
    items.push_back(cache_.item(index));
    takes.push_back(take(items.back()->footage, random.chance(options_.coherent_share), from_reference, random));
    const std::int64_t from = random.chance(options_.high_noise_share) ? options_.high_noise_from : 0;
    timesteps.push_back(from + random.below(diffusion::kTimesteps - from));
  }
  const Prediction result = predict(assemble(items, takes), set, timesteps, make_generator(random.next()));
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
    for (std::int64_t index = 0; index < kept_aside_->size(); ++index) {
      RandomStream random(mixed_seed(kValidationStream, static_cast<std::uint64_t>(index)));
      const auto item = kept_aside_cache_.item(index);
      const Take frames = take(item->footage, true, contains(set, Condition::kLocalImage), random);
      const std::int64_t timestep = kTimesteps.at(static_cast<std::size_t>(index) % kTimesteps.size());
      const Prediction result = predict(assemble({item}, {frames}), set, {timestep}, make_generator(random.next()));
      sum_of_set += result.squared_error.mean().item<double>();
    }
    by_set["validation_" + std::string(set == reference_set() ? "reference" : "first_frame")] =
        sum_of_set / static_cast<double>(kept_aside_->size());
    sum += sum_of_set;
    count += static_cast<double>(kept_aside_->size());
  }
  by_set["validation"] = sum / count;
  return by_set;
}

at::Tensor UNetTask::sample(const Batch& batch, const Conditions& set, const Progress& progress) const {
  constexpr std::uint64_t kSeed = 11;
  const family::AnimateRequest& defaults = models_.description.defaults;
  const std::int64_t frames = batch.moments.size(1);
  const at::Tensor mean = batch.reference_moments.chunk(2, 1)[0];
  const at::Tensor reference_latent = models_.description.configs.autoencoder.scale_factor * mean;
  const models::LatentShape shape{1, frames, mean.size(2), mean.size(3)};
  const std::array size{std::int64_t{1}, mean.size(1), frames, shape.height, shape.width};
  const diffusion::ItemNoise noise = diffusion::draw_item_noise(kSeed, size, device_);
  const diffusion::Level prior = schedule_.at(static_cast<double>(defaults.noise_prior));
  const models::EncodedConditions encoded =
      models_.unet->encode(conditions(batch, set, reference_latent), empty_prompt_, shape);
  const diffusion::Denoiser denoise = [&](const at::Tensor& x, const diffusion::Level& level, std::int64_t,
                                          const diffusion::TakeOutput& take) {
    progress.throw_if_cancelled();
    const at::Tensor timestep = at::tensor({static_cast<std::int64_t>(level.time)}).to(device_);
    take(0, (*models_.unet)(x, timestep, encoded).to(at::kFloat));
  };
  const std::unique_ptr<diffusion::Sampler> sampler = diffusion::make_sampler(schedule_, defaults.sampling);
  diffusion::SamplingState state = diffusion::sampling_state(
      *sampler, diffusion::start_latent(prior, reference_latent, noise, defaults.noise_prior_order), noise.generator);
  diffusion::SamplingObserver nobody;
  diffusion::run_sampler(*sampler, schedule_, denoise, state, nobody);
  return models_.autoencoder->decode(state.x.squeeze(0).transpose(0, 1)).to(at::kFloat).cpu();
}

Image UNetTask::sample_sheet(const Progress& progress) {
  const c10::NoGradGuard no_gradients;
  std::vector<at::Tensor> rows;
  const auto row = [](const at::Tensor& pictures) { return at::cat(pictures.unbind(0), 2); };
  for (std::int64_t index = 0; index < std::min(kSheetPeople, kept_aside_->size()); ++index) {
    const Conditions set = index % 4 == 3 ? first_frame_set() : reference_set();
    RandomStream random(mixed_seed(kValidationStream, static_cast<std::uint64_t>(index)));
    const auto item = kept_aside_cache_.item(index);
    const Take frames = take(item->footage, true, contains(set, Condition::kLocalImage), random);
    const Batch batch = assemble({item}, {frames});
    const at::Tensor reference = autoencoder_input(batch.reference);
    const at::Tensor truth = autoencoder_input(item->footage.pictures.index_select(0, at::tensor(frames.frames)));
    const at::Tensor poses = autoencoder_input(batch.poses.cpu()[0].narrow(0, 1, truth.size(0)));
    const at::Tensor nothing = -at::ones_like(reference);
    rows.push_back(row(at::cat({nothing, poses})));
    rows.push_back(row(at::cat({reference, truth})));
    rows.push_back(row(at::cat({nothing, sample(batch, set, progress)})));
  }
  return family::image_from_decoded(at::cat(rows, 1));
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
